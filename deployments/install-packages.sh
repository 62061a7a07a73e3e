#!/bin/sh
# Install the Debian packages of deployments/packages.txt that are missing. Their services are not started:
# Fournines runs its own copies under its own supervisor.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
missing=""
for package in $(sed 's/#.*//' "$here/packages.txt"); do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "These Debian packages are missing; as root run: apt-get install$missing" >&2
  exit 0
fi
echo "==> installing Debian packages:$missing"
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' > $policy
  chmod +x $policy
  trap 'rm -f $policy' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086  # a list of words
apt-get install -y -q --no-install-recommends $missing
