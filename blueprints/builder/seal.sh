# Takes away what belongs to the builder alone. Begins when cloud-init has written its last word.
. /run/fournines-bake/marks.sh

begin sealing
# Whatever ends us before the last line is told: silence would cost the bake its whole time.
trap 'mark "failed sealing"' EXIT
if [ -d $here/apt ]; then
  rm -rf /etc/apt/sources.list.d
  cp -a $here/apt/. /etc/apt/
fi
mkdir -p /etc/apt/sources.list.d
apt-get clean
rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists/* /var/cache/apt/*.bin
while read -r pattern; do
  # Unquoted, because patterns are meant as such.
  # shellcheck disable=SC2086
  rm -rf $pattern
done <$here/remove
find /var/log -type f -exec truncate -s 0 {} +
rm -rf /var/log/journal/* /var/log/cloud-init*
rm -f /etc/ssh/ssh_host_*_key* /var/lib/systemd/random-seed /root/.bash_history /var/lib/dbus/machine-id
rm -rf /var/lib/cloud /tmp/* /var/tmp/*
# In a container it is a mount of the host's making, which stays behind by itself.
truncate -s 0 /etc/machine-id 2>/dev/null || true
[ -L /etc/resolv.conf ] || truncate -s 0 /etc/resolv.conf
sync
trap - EXIT
mark sealed
