# Brings a backup back in an instance that nobody reaches, and says on the console what is in it.
. /run/fournines-bake/marks.sh

bin=/usr/lib/postgresql/15/bin
data=/data/postgres/15
as_postgres() { runuser -u postgres -- "$@" >>$log 2>&1 </dev/null; }
python() { env PYTHONPATH=/usr/local/lib python3 -c "from archivist import archive; archive.$1()"; }

begin volume
while [ ! -d /volumes/vdb ] && [ ! -b /dev/vdb ]; do sleep 0.5; done
if [ -d /volumes/vdb ]; then
  ln -sfn /volumes/vdb /data
else
  blkid /dev/vdb >/dev/null || mkfs.ext4 -q -L data /dev/vdb >>$log 2>&1 || fail
  mkdir -p /data
  mount /dev/vdb /data >>$log 2>&1 || fail
fi
install -d -o postgres -g postgres -m 0700 /data/postgres /run/postgresql
python prepare >>$log 2>&1 || fail

begin restore
as_postgres env PYTHONPATH=/usr/local/lib python3 -c 'from archivist import archive; archive.restore()' || fail

begin replay
echo 'local all postgres peer' >/run/drill.hba
: >/run/drill.ident
cat >/run/drill.conf <<CONF
data_directory = '$data'
hba_file = '/run/drill.hba'
ident_file = '/run/drill.ident'
unix_socket_directories = '/run/postgresql'
listen_addresses = ''
shared_buffers = '64MB'
hot_standby = off
archive_mode = off
restore_command = 'pgbackrest --config=/etc/pgbackrest/source.conf --stanza=main archive-get %f "%p"'
recovery_target_action = 'promote'
recovery_target_timeline = 'latest'
$(cat $here/target)
CONF
chmod 644 /run/drill.conf /run/drill.hba /run/drill.ident
as_postgres touch $data/recovery.signal
as_postgres $bin/pg_ctl start -W -D $data -l /data/postgres/log -o '-c config_file=/run/drill.conf' || fail
# It answers when the log is replayed, and is gone when that failed.
until runuser -u postgres -- psql --no-psqlrc -XAtq -h /run/postgresql -d postgres -c 'SELECT 1' >/dev/null 2>&1; do
  sleep 1
  if ! as_postgres $bin/pg_ctl status -D $data; then
    tail -n 30 /data/postgres/log >>$log
    fail
  fi
done

begin integrity
# Every page of every table and index, and that they agree with each other.
as_postgres $bin/pg_amcheck --host=/run/postgresql --all --install-missing --jobs=2 || fail

begin content
cat >$here/content.sql <<'SQL'
SELECT json_build_object('marks', count(*), 'first', min(number), 'last', max(number), 'last_at', extract(epoch FROM max(at)),
  'digest', md5(coalesce(string_agg(number || ' ' || extract(epoch FROM at), ',' ORDER BY number), ''))) FROM marks
SQL
chmod 644 $here/content.sql
chmod 755 $here
if ! runuser -u postgres -- psql --no-psqlrc -XAtq -h /run/postgresql -d fournines -f $here/content.sql >$here/report 2>>$log; then
  echo '{"marks": 0}' >$here/report
fi
send report $here/report
mark passed
