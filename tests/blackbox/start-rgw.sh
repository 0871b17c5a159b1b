#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# start-rgw.sh DIR PORT MONITOR_PORT [BYTES]: a monitor, an object store in memory and the S3 gateway of Ceph, loopback only. Their
# processes end with this script; DIR/ready appears when requests are answered. Keys: TESTKEY, TESTSECRET0123456789.
set -e
D=${1:?dir}; PORT=${2:?port}; MONP=${3:?monitor port}; mkdir -p "$D"/{mon,osd,rgw,run,log}; cd "$D"
FSID=$(cat /proc/sys/kernel/random/uuid)
cat > ceph.conf <<C
[global]
fsid = $FSID
mon_initial_members = a
mon_host = [v1:127.0.0.1:$MONP]
public_network = 127.0.0.0/8
ms_bind_msgr2 = false
ms_bind_ipv6 = false
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
auth_allow_insecure_global_id_reclaim = true
run_dir = $D/run
admin_socket = $D/run/\$name.asok
pid_file = $D/run/\$name.pid
log_file = $D/log/\$name.log
mon_cluster_log_file = $D/log/cluster.log
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
rgw_rados_pool_pg_num_min = 1
mon_warn_on_pool_no_redundancy = false
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
osd_crush_chooseleaf_type = 0
osd_objectstore = memstore
memstore_device_bytes = ${4:-2147483648}
osd_class_dir = /usr/lib/x86_64-linux-gnu/rados-classes
osd_class_load_list = *
osd_class_default_list = *
erasure_code_dir = /usr/lib/x86_64-linux-gnu/ceph/erasure-code
plugin_dir = /usr/lib/x86_64-linux-gnu/ceph
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_tick_interval = 1
osd_mon_report_interval = 1
mon_data_avail_crit = 1
mon_data_avail_warn = 2
[mon.a]
mon_data = $D/mon
[osd.0]
osd_data = $D/osd
[client.rgw.a]
rgw_frontends = beast endpoint=127.0.0.1:$PORT
rgw_data = $D/rgw
rgw_dns_name = localhost
rgw_enable_usage_log = false
rgw_enable_ops_log = false
rgw_crypt_require_ssl = false
rgw_thread_pool_size = 64
rgw_gc_obj_min_wait = 1
rgw_gc_processor_period = 5
C
export CEPH_CONF=$D/ceph.conf CEPH_ARGS="-c $D/ceph.conf"
monmaptool --create --fsid $FSID --addv a "[v1:127.0.0.1:$MONP]" monmap >/dev/null
ceph-mon --mkfs -i a --monmap monmap >/dev/null
setpriv --pdeathsig KILL ceph-mon -i a -f > log/mon.out 2>&1 &
OU=$(cat /proc/sys/kernel/random/uuid); setpriv --pdeathsig KILL ceph --connect-timeout 20 osd new $OU >/dev/null
ceph-osd -i 0 --mkfs --osd-uuid $OU >/dev/null 2>&1
# On a busy machine it may ask the monitor before it knows whom it talks to ("wrong fsid"), and then ends.
setpriv --pdeathsig KILL bash -c 'until [ -e up ]; do setpriv --pdeathsig KILL ceph-osd -i 0 -f; sleep 0.2; done' > log/osd.out 2>&1 &
SECONDS=0
until ceph --connect-timeout 10 osd stat 2>/dev/null | grep -q '1 up'; do
  [ $SECONDS -lt 60 ] || { tail -n 5 log/osd.out; exit 1; }
  sleep 0.2
done
touch up
# On a busy machine the first one now and then waits for ever.
admin() { for _ in 1 2 3; do timeout -s KILL 35 setpriv --pdeathsig KILL radosgw-admin "$@" >/dev/null 2>&1 && return; done; return 1; }
admin user create --uid=t --display-name=t --access-key=TESTKEY --secret-key=TESTSECRET0123456789
admin zonegroup placement add --rgw-zonegroup default --placement-id default-placement --storage-class STANDARD_IA || true
admin zone placement add --rgw-zone default --placement-id default-placement --storage-class STANDARD_IA --data-pool default.rgw.buckets.data || true
setpriv --pdeathsig KILL radosgw -n client.rgw.a -f > log/rgw.out 2>&1 &
until curl -s -o /dev/null http://127.0.0.1:$PORT/; do sleep 0.1; done
touch ready
wait
