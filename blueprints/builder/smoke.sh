# Proves an image in an instance made from it.
. /run/fournines-bake/marks.sh

begin boot
test -e /etc/fournines/image || fail
check_all
mark passed
