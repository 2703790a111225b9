"""What is done to Wherry and to dockerd alike: a scenario of docker commands for each noun.

A line is a docker command, whose exit code and output are compared; with `keys` before it the keys
of the JSON that it prints are, `ids` compares the exit code alone, where output is random, `lines`
compares lines in any order. Names are the scenario's own, and its last lines clean up.
"""

SCENARIOS: dict[str, str] = {
    "create, start and remove": """
create --name c1 -l a=b -e A=b -w /tmp busybox sh -c 'echo out; echo err >&2; exit 3'
ps -a -f name=c1
keys inspect c1
start -a c1
wait c1
ps -a -f name=c1 --format '{{.Names}} {{.Status}} {{.Ports}} {{.Labels}} {{.Command}}'
keys inspect c1
lines logs c1
inspect -f '{{.State.ExitCode}} {{.State.Running}} {{.Path}} {{.Args}}' c1
lines diff c1
rm c1
rm c1
inspect c1
""",
    "run in every manner": """
run --rm busybox echo hello
run --rm busybox sh -c 'echo err >&2; exit 7'
run --rm -i busybox cat
run --rm -e A=b -h host1 busybox sh -c 'echo $A; hostname; cat /etc/hostname'
run --rm -u joe busybox id
run --rm -u 5:6 busybox id
run --rm -u nosuch busybox id
run --rm -w /new/dir busybox pwd
run --rm --read-only busybox touch /x
run --rm --tmpfs /scratch:size=1m busybox sh -c 'mount | grep scratch'
run --rm busybox nosuch
run --rm busybox /etc
run --rm busybox /etc/passwd
run --rm --entrypoint /bin/echo busybox words
run --rm --entrypoint '' busybox
run --rm busybox sh -c 'kill -9 $$'
run --rm --name taken busybox true
run --rm BAD
run --rm --network nosuch busybox true
run --rm --mount type=bind,src=/nosuch,dst=/x busybox true
run --rm -v /etc/hostname:/x:bad busybox true
run --rm -v rel/dir:/x busybox true
run --rm --memory 1m busybox true
run --rm --cpus 1000 busybox true
run --rm --cpuset-cpus 999 busybox true
run --rm --pids-limit 20 busybox true
run --rm --cap-drop ALL busybox sh -c 'grep CapEff /proc/self/status'
run --rm busybox sh -c 'grep Cap /proc/self/status'
run --rm --cap-add NET_ADMIN busybox sh -c 'grep CapEff /proc/self/status'
run --rm --cap-add NOSUCH busybox true
run --rm --security-opt no-new-privileges busybox grep NoNewPrivs /proc/self/status
run --rm --ulimit nofile=64:128 busybox sh -c 'ulimit -n; ulimit -Hn'
run --rm --sysctl net.ipv4.ip_forward=1 busybox cat /proc/sys/net/ipv4/ip_forward
run --rm --sysctl kernel.nosuch=1 busybox true
run --rm --shm-size 1m busybox sh -c 'df /dev/shm | tail -1'
run --rm --init busybox true
run --rm --network none busybox ls /sys/class/net
run --rm --network host --hostname other busybox hostname
run --rm --add-host db:192.0.2.7 busybox grep -w db /etc/hosts
run --rm --dns 192.0.2.8 --dns-search example.test --dns-option ndots:2 busybox cat /etc/resolv.conf
run --rm --oom-score-adj 100 busybox cat /proc/self/oom_score_adj
run --rm --stop-signal NOSUCH busybox true
run --rm --restart nosuch busybox true
run --rm --device /dev/nosuch busybox true
run --rm --device /dev/null:/dev/mine busybox ls -l /dev/mine
run --rm --group-add 77 busybox id
run --rm --health-cmd true --health-interval 1h busybox true
run --rm busybox sh -c 'grep -c . /proc/1/environ; ls /'
""",
    "a running container": """
run -d --name r1 -p 127.0.0.1:18080:80 -v data1:/data -l tier=web busybox sleep 600
ps -f name=r1 --format '{{.Names}} {{.Image}} {{.Ports}} {{.Mounts}} {{.Networks}} {{.State}}'
keys inspect r1
port r1
port r1 80
port r1 99
top r1 -o pid,comm
exec r1 echo hi
exec r1 sh -c 'echo err >&2; exit 4'
exec -i r1 cat
exec -e A=b -w /tmp -u joe r1 sh -c 'echo $A; pwd; id -un'
exec r1 nosuch
exec -u nosuch r1 true
exec -w /nosuch r1 true
exec -d r1 true
pause r1
pause r1
exec r1 true
ps -f name=r1 --format '{{.Status}}'
rm r1
unpause r1
unpause r1
stats --no-stream --format '{{.Name}} {{.PIDs}}' r1
update --memory 64m --memory-swap 128m r1
update --cpus 0.5 --restart on-failure:3 r1
inspect -f '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.RestartPolicy}}' r1
update --memory 1k r1
rename r1 r2
rename r2 r2
rename r2 'bad name'
rename nosuch other
rename r2 r1
start r1
attach nosuch
rm r1
kill -s NOSUCH r1
kill -s USR1 r1
stop -t 0 r1
stop r1
kill r1
exec r1 true
pause r1
ps -a -f name=r1 --format '{{.Names}}'
keys inspect r1
restart -t 0 r1
rm -f r1
rm -f nosuch
volume rm data1
""",
    "files": """
create --name f1 busybox sh -c 'echo x > /made; rm /etc/group'
start -a f1
lines diff f1
ids cp f1:/made -
cp f1:/nosuch -
cp f1:/etc f1:/tmp
cp /etc/hostname f1:/tmp/host
cp /etc/hostname f1:/nosuch/host
cp /nosuch f1:/tmp
ids export f1
commit -m words -a me -c 'ENV X=y' -c 'CMD ["true"]' f1 made:1
commit f1 BAD
commit -c 'NOSUCH x' f1 made:2
keys image inspect made:1
history --format '{{.CreatedBy}} {{.Comment}}' made:1
run --rm made:1
rm f1
rmi made:1
""",
    "images": """
images
images -q --no-trunc
images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
keys image inspect busybox
inspect nosuch
image inspect nosuch
history busybox
tag busybox other/name:1
tag busybox BAD
tag nosuch x:1
images other/name
images -f reference='other/*' --format '{{.Repository}}'
images -f dangling=true
images -f nosuch=1
rmi other/name:1
rmi nosuch
rmi BAD
run -d --name user1 busybox sleep 600
rmi busybox
rm -f user1
ids save busybox
save nosuch
image prune -f
load -i /nosuch
""",
    "volumes": """
volume create v1
volume create v1
volume create -l a=b --name v2
volume create -d nosuch v3
volume create -o nosuch=1 v3
volume create 'bad name'
volume ls
volume ls -f name=v1 -q
volume ls -f label=a=b -q
volume ls -f dangling=true -q
volume ls -f nosuch=1
keys volume inspect v1
keys volume inspect v2
volume inspect nosuch
run --rm -v v1:/d busybox sh -c 'echo kept > /d/f'
run --rm -v v1:/d:ro busybox cat /d/f
run --rm -v v1:/d:ro busybox touch /d/g
run -d --name v-user -v v1:/d busybox sleep 600
volume rm v1
keys inspect v-user
rm -f v-user
volume rm v1 nosuch
volume rm v2
volume prune -f
""",
    "networks": """
network create n1
network create n1
network create --subnet 10.77.0.0/24 --gateway 10.77.0.1 --ip-range 10.77.0.128/25 --label a=b n2
network create --subnet 10.77.0.0/24 n3
network create --subnet bad n3
network create -d nosuch n3
network create -d host n3
network rm n3
network create --internal n4
network ls --format '{{.Name}} {{.Driver}} {{.Scope}}'
network ls -f name=n1 -q
network ls -f driver=bridge --format '{{.Name}}'
network ls -f nosuch=1
keys network inspect n1
keys network inspect n2
keys network inspect bridge
network inspect nosuch
run -d --name w1 --network n2 --ip 10.77.0.200 --network-alias www busybox sleep 600
run -d --name w2 --network n1 busybox sleep 600
keys inspect w1
keys network inspect n2
inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}}{{end}}' w1
run --rm --network n1 --ip 10.77.0.3 busybox true
run --rm --network n2 --ip 10.78.0.3 busybox true
run --rm --network n2 --ip 10.77.0.200 busybox true
run --rm --network n2 busybox ping -c1 -w2 -q www
run --rm --network n1 busybox ping -c1 -w2 -q w1
exec w1 cat /etc/resolv.conf
network connect --alias second n2 w2
network connect n2 w2
exec w2 ls /sys/class/net
exec w1 ping -c1 -w2 -q second
network rm n2
network disconnect n2 w2
network disconnect n2 w2
network connect nosuch w2
network connect n2 nosuch
network disconnect -f n1 w1
network rm bridge
network rm nosuch
rm -f w1 w2
network rm n1 n2 n4
network prune -f
""",
    "the system": """
info --format '{{.Driver}} {{.NCPU}} {{.CgroupDriver}} {{.CgroupVersion}} {{.OSType}}'
info --format '{{.LoggingDriver}} {{.DefaultRuntime}} {{.Architecture}} {{.Isolation}}'
info --format '{{json .Plugins.Log}}'
version --format '{{.Server.Os}} {{.Server.Arch}} {{.Client.APIVersion}}'
keys version --format '{{json .Server}}'
keys info --format '{{json .}}'
ids system df
system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'
container prune -f
events --since 1x
search
login -u x -p y 127.0.0.1:1
""",
    "sharing": """
run -d --name s1 -v /anonymous -v shared:/data -e FROM=s1 busybox sleep 600
run --rm --volumes-from s1 busybox ls -d /anonymous /data
run --rm --volumes-from s1:ro busybox touch /data/x
run --rm --volumes-from nosuch busybox true
run --rm --mount type=volume,src=shared,dst=/d,readonly busybox touch /d/x
run --rm --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700 busybox stat -c %a /t
run --rm --mount type=volume,dst=rel busybox true
run --rm --mount type=nosuch,dst=/x busybox true
run --rm --network container:s1 busybox hostname
run --rm --network container:nosuch busybox true
run --rm --pid container:s1 busybox sh -c 'ps -o comm | grep -c sleep'
run --rm --ipc container:s1 busybox true
run --rm --link s1:other busybox sh -c 'grep -c other /etc/hosts'
run --rm --link nosuch busybox true
run --rm -e PLAIN -e SET=1 --env-file /nosuch busybox true
run --rm --tmpfs /run --read-only busybox touch /run/x
run --rm --hostname h.example.test --domainname example.test busybox cat /etc/hostname
run --rm --uts host --hostname x busybox true
run --rm --mac-address 92:d0:c6:0a:29:33 busybox cat /sys/class/net/eth0/address
run --rm -p 127.0.0.1:18081:80 -p 127.0.0.1:18081:81 busybox true
run -d --name s2 -p 127.0.0.1:18082:80 busybox sleep 600
run --rm -p 127.0.0.1:18082:80 busybox true
port s2
lines volume ls -f dangling=false --format '{{.Driver}}'
keys inspect s2
rm -f -v s1 s2
volume ls -q -f name=shared
volume rm shared
""",
    "restarts and health": """
run -d --name h1 --restart on-failure:2 busybox sleep 600
inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' h1
rm -f h1
run -d --name h2 --health-cmd 'exit 0' --health-interval 100s --stop-signal KILL busybox sleep 600
keys inspect h2
restart -t 1 h2
stop h2
inspect -f '{{.State.ExitCode}} {{.State.Health.FailingStreak}}' h2
rm h2
run -d --name h3 --log-driver none busybox echo x
wait h3
logs h3
rm h3
run -d --name h6 busybox sh -c 'echo one; echo two; echo three'
wait h6
logs h6
logs -n 1 h6
logs --since 1000000h h6
logs --since bad h6
rm h6
run -d --name h4 --log-opt max-size=bad busybox true
run -d --name h5 --log-driver nosuch busybox true
rm h4 h5
""",
}
