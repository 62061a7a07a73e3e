# What the scripts of a bake share: saying on the console what is done and how it ended (see blueprints/console_marks.py).
set -u
export LC_ALL=C DEBIAN_FRONTEND=noninteractive HOME=/root
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
here=/run/fournines-bake
nonce=$(cat $here/nonce)
log=$here/log
step=nothing
touch $log

# First a newline: somebody else's line may not be at its end.
mark() { printf '\n@@fournines %s %s\n' "$nonce" "$*" >/dev/console; }

# A long text in pieces: send KIND FILE
send() {
  gzip -9c "$2" | base64 -w 500 >$here/packed
  total=$(wc -l <$here/packed)
  number=0
  while read -r piece; do
    number=$((number + 1))
    mark "part $1 $number/$total $piece"
  done <$here/packed
}

begin() {
  step=$1
  printf '\n== %s\n' "$step" >>$log
  mark "begin $step"
}

fail() {
  tail -c 8000 $log >$here/end
  send log $here/end
  mark "failed $step"
  exit 1
}

# Each check in a shell of its own, so that its end does not end us.
check_all() {
  for file in $here/tests/*; do
    [ -e "$file" ] || continue
    begin "test: $(sed -n '1s/^# //p' "$file")"
    timeout 300 sh -e "$file" >>$log 2>&1 </dev/null || fail
  done
}
