#!/bin/bash
# One task of a job: runs what was asked for in a place of its own, has its output kept, and ends as the keeper says.
#
# It is given the file Slurm runs, whose third line on is what people want run. It ends with 0, with the exit code of what ran, or with 200,
# which Slurm takes as "once more" (RequeueExit).
set -u
umask 022
place=/var/lib/batch/tasks/$SLURM_JOB_ID-${SLURM_RESTART_COUNT:-0}
mkdir -p "$place/work" "$place/output"

say() { # what the keeper answers to one line
  local answer=
  exec 3<> /dev/tcp/127.0.0.1/7079 || return 1
  printf '%s\t%s\t%s\t%s\n' "$1" "$place" "${2:-0}" "$FOURNINES_TASK" >&3
  IFS= read -r -u 3 -t 900 answer
  exec 3>&-
  printf '%s' "$answer"
}

FOURNINES_TASK="$FOURNINES_JOB/${SLURM_ARRAY_TASK_ID:-0}/${SLURM_RESTART_COUNT:-0}/$FOURNINES_SECONDS/$FOURNINES_RETRIES/${FOURNINES_ARTEFACT:-}"
printf '%s' "$FOURNINES_TASK" > "$place/task"
# A first attempt without an artefact has nothing to wait for.
if [ "${SLURM_RESTART_COUNT:-0}" != 0 ] || [ -n "${FOURNINES_ARTEFACT:-}" ]; then
  answer=$(say begin) || answer=200
  case $answer in
    go) ;;
    # It was done before: the worker died between the task's end and Slurm's knowledge of it.
    *) exit "${answer:-200}" ;;
  esac
fi

tail -n +3 "$1" > "$place/script"
chmod 0755 "$place/script"
(
  cd "$place/work" || exit 127
  export TASK=${SLURM_ARRAY_TASK_ID:-0} ATTEMPT=$((${SLURM_RESTART_COUNT:-0} + 1)) OUTPUT=$place/output
  exec timeout --kill-after=5 "$FOURNINES_SECONDS" "$place/script"
) > "$place/log" 2>&1 < /dev/null
code=$?
answer=$(say end "$code") || answer=200
exit "${answer:-200}"
