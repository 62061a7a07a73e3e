# Makes an image's content in a builder: packages, commands, services silenced, tests; then has it sealed once cloud-init is done.
. /run/fournines-bake/marks.sh

units() {
  systemctl list-unit-files --no-legend --no-pager --plain | awk '{print $1}' | grep -E '\.(service|socket|timer|path)$' | sort -u
}

apt() {
  apt-get -q -y -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 -o APT::Update::Error-Mode=any \
    -o Dpkg::Options::=--force-confold "$@" >>$log 2>&1 </dev/null
}

begin packages
units >$here/units.before
# Nothing that is installed may start: it would make clusters, keys and databases that every instance would share.
printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
chmod 755 /usr/sbin/policy-rc.d
if [ -s $here/source ]; then
  mkdir -p $here/apt
  for own in sources.list sources.list.d; do
    [ ! -e /etc/apt/$own ] || mv /etc/apt/$own $here/apt/
  done
  mkdir -p /etc/apt/sources.list.d
  cp $here/source /etc/apt/sources.list.d/bake.list
fi
apt update || fail
if [ -s $here/packages ]; then
  # shellcheck disable=SC2046  # a list of words
  apt install --no-install-recommends $(cat $here/packages) || fail
fi

for file in $here/commands/*; do
  [ -e "$file" ] || continue
  begin "command ${file##*/}"
  sh -e "$file" >>$log 2>&1 </dev/null || fail
done

begin services
systemctl daemon-reload
units >$here/units.after
mkdir -p /etc/systemd/system-preset
# A preset as well, for the first boot of what has no machine id: systemd would enable everything again.
for unit in $(comm -13 $here/units.before $here/units.after); do
  grep -qxF "$unit" $here/keep && continue
  systemctl disable --now "$unit" >>$log 2>&1 || true
  echo "disable $unit" >>/etc/systemd/system-preset/10-fournines.preset
done

check_all
begin "package list"
mkdir -p /etc/fournines
# shellcheck disable=SC2016  # dpkg's own variables
dpkg-query -W -f '${binary:Package} ${Version}\n' | sort >/etc/fournines/packages 2>>$log || fail
install -m 644 $here/image /etc/fournines/image
send packages /etc/fournines/packages
mark built
systemd-run --quiet --no-block --unit=fournines-seal --property=After=cloud-final.service \
  --property=After=cloud-init.target sh $here/seal.sh >>$log 2>&1 || { step=sealing; fail; }
