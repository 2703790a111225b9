"""Command lines that docker and wherry are both given."""

# ruff: noqa: E501
LISTS = """
ps
ps -a --no-trunc
ps -s
ps -q
ps -aq --no-trunc
ps -n 2
ps -l
ps -n 2 -l
ps -f name=web -f status=running -f label=a=b
ps -f health=healthy --filter ancestor=nginx
ps --format json
ps --format '{{json .}}'
ps --format table
ps --format 'table {{.Names}}\\t{{.Ports}}'
ps --format 'table {{.ID}}\\t{{.Label "com.example.some-label"}}\\t{{.Status}}'
ps --format '{{.ID}}: {{.Command}} {{.CreatedAt}} {{.RunningFor}}'
ps --format '{{.Size}}'
ps --format '{{.Mounts}} {{.LocalVolumes}} {{.Networks}} {{.State}}'
ps --no-trunc --format '{{.Mounts}} {{.Names}} {{.Image}} {{.Command}}'
ps --format '{{.Labels}}'
ps --format '{{.Platform}}'
ps --format '{{upper .Names}} {{lower .Image}} {{title .State}}'
ps --format '{{truncate .Image 3}} {{pad .Names 2 3}}|'
ps --format '{{join (split .Names ",") "+"}}'
ps --format '{{len .Names}} {{index (split .Image ":") 0}}'
ps --format '{{if eq .State "running"}}up{{else if eq .State "exited"}}down{{else}}new{{end}}'
ps --format '{{with .Ports}}ports {{.}}{{else}}none{{end}}'
ps --format '{{$n := .Names}}{{range $i, $w := split .Status " "}}{{if $i}},{{end}}{{$w}}{{end}} {{$n}}'
ps --format '{{printf "%-10s|%5s|%q" .Names .State .Image}}'
ps --format '{{println .ID .Names}}x'
ps --format '{{print .ID 1 2 "a" "b"}}'
ps --format '{{slice .ID 0 4}} {{slice .ID 3}}'
ps --format '{{not .Ports}} {{and .Names .Ports}} {{or .Ports "-"}}'
ps --format '{{ne .State "running"}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge 1 2}}'
ps --format '{{.Names | upper | printf "%s!"}}'
ps --format '{{- .Names -}}  {{- /* note */ -}}  {{.ID}}'
ps --format '{{range $c := split "a,b" ","}}{{$c}}{{break}}{{end}}'
ps --format '{{html "<a>"}} {{urlquery "a b&c"}} {{js "it'"'"'s"}}'
ps --format '{{.Nope}}'
ps --format '{{nope}}'
ps --format '{{.ID'
ps --format '{{if .ID}}'
ps --format '{{.ID | nope}}'
ps --format '{{end}}'
ps --format ''
ps --format 'a\\tb\\nc'
ps --format '{{.Names.Foo}}'
ps --format '{{"a" "b"}}'
ps --format '{{.}}'
ps --format '{{eq 1 "a"}}'
ps --format '{{index .Names 100}}'
ps --format raw
container ls -a
container list
container ps
images
images -a
images --digests
images --no-trunc
images -q
images -q --no-trunc
images nginx
images -f dangling=true -f label=a
images --format json
images --format '{{json .}}'
images --format '{{.Repository}}:{{.Tag}}@{{.Digest}}'
images --format 'table {{.ID}}\\t{{.Size}}\\t{{.CreatedSince}}\\t{{.VirtualSize}}'
images --format '{{.ID}} {{.CreatedAt}} {{.SharedSize}} {{.UniqueSize}} {{.Containers}}'
images --digests --format table
images --format '{{.Label "a"}}'
images --tree
images -a --tree
images --tree nginx
images --tree -q
images --tree --no-trunc
images --tree --digests
images --tree --format x
image ls
history nginx
history --no-trunc nginx
history -q nginx
history -H=false nginx
history --format json nginx
history --format '{{.ID}} {{.CreatedBy}} {{.Size}} {{.Comment}} {{.CreatedAt}}' nginx
history --format 'table {{.CreatedSince}}\\t{{.Size}}' nginx
history nope
network ls
network ls -q
network ls --no-trunc
network ls -f driver=bridge
network ls --format json
network ls --format '{{.ID}} {{.Name}} {{.Driver}} {{.Scope}} {{.IPv4}} {{.IPv6}} {{.Internal}}'
network ls --format '{{.Labels}} {{.CreatedAt}} {{.Label "n"}}'
network ls --format 'table {{.Name}}\\t{{.CreatedAt}}'
volume ls
volume ls -q
volume ls -f dangling=true
volume ls --format json
volume ls --format '{{.Name}} {{.Driver}} {{.Scope}} {{.Mountpoint}} {{.Labels}} {{.Links}} {{.Size}}'
volume ls --format 'table {{.Name}}\\t{{.Label "x"}}'
secret ls
secret ls -q -f name=b
secret ls --format '{{json .}}'
secret ls --format 'table {{.ID}}\\t{{.Labels}}\\t{{.Label "x"}}'
config ls
config ls --format json
plugin ls
plugin ls -q
plugin ls --no-trunc --format '{{json .}}'
plugin ls --format '{{.ID}} {{.Enabled}}'
search nginx
search --limit 3 --no-trunc -f is-official=true -f stars=3 nginx
search --format json nginx
search --format '{{.Name}} {{.Description}} {{.StarCount}} {{.IsOfficial}} {{.IsAutomated}}' nginx
search
system df
system df -v
system df --format json
system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}'
system df -v --format '{{json .}}'
events --since 1 --until 2
events --since 1 --until 2 --format json
events --since 1 --until 2 --format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}} {{.ID}}'
events --until 2 -f type=container -f event=start
events --format '{{.Nope}}'
top web
top web -o pid,comm
diff web
port web
port web 80
port web 80/tcp
port web 443
port web 9
port web foo
"""

INSPECTIONS = """
inspect web
inspect -s web
inspect --type container web
inspect --type image nginx
inspect nginx
inspect net10 vol10
inspect nope
inspect web nope
inspect --type foo x
inspect -f '{{.Name}}' web
inspect -f '{{json .Config.Labels}} {{json .Config.Env}}' web
inspect -f '{{json .NetworkSettings.Ports}}' web
inspect -f json web
inspect -f '{{.State}}' web
inspect -f '{{.State.Status}} {{.State.Pid}} {{.State.Running}} {{.RestartCount}}' web
inspect -f '{{.HostConfig.RestartPolicy}}' web
inspect -f '{{range .Mounts}}{{.Source}}:{{.Destination}} {{end}}' web
inspect -f '{{range $p, $c := .NetworkSettings.Ports}}{{$p}}->{{(index $c 0).HostPort}} {{end}}' web
inspect -f '{{range $p, $c := .NetworkSettings.Ports}}{{$p}} {{if $c}}{{(index $c 0).HostPort}}{{end}};{{end}}' web
inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' web
inspect -f '{{range $k, $v := .NetworkSettings.Networks}}{{$k}}={{$v.IPAddress}} {{$v.IPPrefixLen}};{{end}}' web
inspect -f '{{.NetworkSettings.Networks.net1.IPAddress}}' web
inspect -f '{{index .NetworkSettings.Networks "a-net" "Gateway"}}|' web
inspect -f '{{(index .NetworkSettings.Networks "net1").Gateway}}' web
inspect -f '{{index .Config.Labels "com.example.some-label"}}' web
inspect -f '{{.Config.Labels.tier}} {{.Config.Labels.nope}}' web
inspect -f '{{len .Config.Env}} {{index .Config.Env 1}}' web
inspect -f '{{join .Config.Env ","}}' web
inspect -f '{{join .Config.Cmd " "}} {{.Config.Cmd}} {{.Config.Entrypoint}}' web
inspect -f '{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.OomScoreAdj}}' web
inspect -f '{{.HostConfig.Binds}} {{.HostConfig.CapAdd}} {{.HostConfig.Privileged}}' web
inspect -f '{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Config}}' web
inspect -f '{{range .Mounts}}{{.Name}},{{.Driver}};{{end}}' web
inspect -f '{{if .Config.Healthcheck}}x{{end}}{{.Config.StopSignal}}' web
inspect -f '{{with .State.Health}}{{.Status}}{{end}}' web
inspect -f '{{(index .State.Health.Log 0).Output}}' web
inspect -f '{{json .State.Health}}' web
inspect -f '{{if and .State.Running (not .State.Paused)}}go{{end}}' web
inspect -f '{{eq .State.Status "running"}} {{eq .RestartCount 2}} {{gt .State.Pid 10}}' web
inspect -f '{{eq .State.Status "x" "running"}}' web
inspect -f '{{.Created}} {{.State.StartedAt}} {{.State.FinishedAt}}' web
inspect -f '{{printf "%d %05d %x %v %t" .State.Pid .State.Pid .State.Pid .State.Pid .State.Running}}' web
inspect -f '{{println .Name}}{{println .Id}}' web
inspect -f '{{.Nope}}' web
inspect -f '{{.State.Nope}}' web
inspect -f '{{.Config.Nope.More}}' web
inspect -f '{{nope .Name}}' web
inspect -f '{{.Name' web
inspect -f '{{index .Config.Env 99}}' web
inspect -f '{{.Id}}' nope
inspect -f '{{.SizeRw}}' web
inspect -f '{{range .Nothing}}x{{else}}none{{end}}' web
inspect -f '{{range $i, $e := .Config.Env}}{{if $i}} {{end}}{{$e}}{{end}}' web
inspect -f '{{.Mounts}}' web
inspect -f '{{slice .Id 0 12}} {{len .Id}}' web
inspect -f '{{split .Name "/"}}' web
inspect -f '{{title "a b"}} {{upper "x"}} {{lower "Y"}} {{pad "z" 1 1}}|' web
inspect -f '{{truncate .Id 5}}' web
inspect -f '{{/* c */}}{{"\\t"}}x{{`raw`}}' web
inspect -f '{{define "T"}}<{{.}}>{{end}}{{template "T" .Name}}' web
inspect -f '{{block "B" .Name}}[{{.}}]{{end}}' web
container inspect web
container inspect -s web
container inspect -f '{{.Name}}' web nope
image inspect nginx
image inspect -f '{{.Os}}/{{.Architecture}} {{index .RepoTags 0}} {{.Size}}' nginx
image inspect -f '{{json .Config.Labels}} {{.RootFS.Layers}}' nginx
image inspect -f '{{range .RootFS.Layers}}{{println .}}{{end}}' nginx
image inspect --platform linux/amd64 nginx
image inspect nope
network inspect net10
network inspect -v net10
network inspect -f '{{.Name}} {{.Internal}} {{.Labels}} {{.EnableIPv4}}' net10
network inspect nope
volume inspect vol10
volume inspect -f '{{.Mountpoint}} {{.Options}}' vol10
volume inspect nope
secret inspect b10
secret inspect --pretty b10
secret inspect -f '{{.Spec.Name}}' b10 nope
config inspect b10 nope
config inspect --pretty b10
plugin inspect nope
version
version -f '{{.Server.Version}} {{.Server.APIVersion}} {{.Server.Os}}'
version -f '{{json .Server}}'
version -f '{{range .Server.Components}}{{.Name}} {{.Version}};{{end}}'
version -f '{{.Nope}}'
info -f '{{.Driver}} {{.NCPU}} {{.Swarm.LocalNodeState}}'
info -f '{{json .Name}}'
info
-D info
system info -f '{{.ServerVersion}} {{json .Plugins}}'
info -f '{{range .SecurityOptions}}{{.}} {{end}}{{.Labels}} {{.MemoryLimit}}'
info -f '{{.Nope}}'
"""

CHANGES = """
start web
start web nope
start -a nope
start --detach-keys ctrl-x web
start -ai web nope
stop web
stop -t 3 -s INT web
stop --timeout -1 web
stop --time 4 web
restart web
restart -t 5 -s HUP web nope
kill web
kill -s 9 web nope
pause web nope
unpause web
rename web other
rename nope other
rm web
rm -f -v web nope
rm -l web
rm -f nope
wait web nope
update -m 64m --memory-swap 128m --memory-reservation 32m web
update --cpus 1.5 -c 512 --cpuset-cpus 0-1 --cpuset-mems 0 web
update --cpu-period 1000 --cpu-quota 500 --cpu-rt-period 1 --cpu-rt-runtime 1 web
update --pids-limit 5 --restart always --blkio-weight 100 web
update web
create nginx
create --name x --pull never nginx true
create --pull always -q nginx
create --cidfile cid nginx
create --platform linux/arm64 nginx
create --env-file env -e A=b -e HOME nginx
create --label-file env --label a=b nginx
run -d nginx
run -d --rm nginx
rmi nginx
rmi -f --no-prune nginx nope
rmi --platform linux/arm64 nginx
rmi -f nope
tag nginx a/b:1
tag nginx
tag nope a
commit web
commit -a me -m text -c 'ENV A=b' -c 'CMD x' -p=false web a/b:1
import file
import - a:b
import -m text -c 'CMD x' --platform linux/arm64 file a/b
import http://example.com/x.tar a
load -i file
load
load -q -i file
load -i file --platform linux/amd64
save -o out nginx
save nope
save nginx
save -o /nonexistent/out nginx
save -o . nginx
export web
export -o out nope
pull nginx
pull -q nginx
pull -a nginx
pull -a nginx:1
pull --platform linux/arm64 nginx:1.27
pull repo.example/team/x@sha256:d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4
pull UPPER
pull nginx:
push nginx
push -q nginx
push -a nginx
push -a nginx:1
push --platform linux/arm64 nginx
push UPPER
push nope
login -u me -p secret repo.example
login -u me --password-stdin repo.example
login -u me -p secret --password-stdin repo.example
login --password-stdin repo.example
logout repo.example
logout other.example
logout
network create net
network create -d macvlan -o parent=eth0 --subnet 10.1.0.0/16 --gateway 10.1.0.1 net
network create --subnet 10.1.0.0/16 --ip-range 10.1.2.0/24 --aux-address a=10.1.0.5 --aux-address b=10.1.0.6 net
network create --ipv6 --subnet 10.1.0.0/16 --subnet fd00::/64 --gateway fd00::1 net
network create --internal --attachable --label a=b --scope local --ipam-driver x --ipam-opt a=b net
network create --ipv4=false --ipv6 net
network create --config-only --config-from x net
network create --ingress net
network create --gateway 10.0.0.1 net
network create --subnet 10.1.0.0/16 --gateway 10.2.0.1 net
network create --subnet 10.1.0.0/16 --subnet 10.1.2.0/24 net
network connect net10 web
network connect --alias a,b --alias c --ip 10.1.0.5 --ip6 fd00::5 --link x:y --link-local-ip 169.254.1.1 net10 web
network connect --driver-opt a=b --gw-priority 5 net10 web
network connect --driver-opt a net10 web
network connect nope web
network disconnect net10 web
network disconnect -f net10 web
network rm net10
network rm net10 nope
network rm -f nope
network prune -f
network prune
network prune -f --filter until=24h
volume create
volume create vol
volume create -d local -o type=tmpfs -o device=tmpfs --label a=b vol
volume create --name vol
volume create --name vol vol
volume create --type block --scope single --sharing none --limit-bytes 1g --required-bytes 1m vol
volume rm vol10
volume rm -f nope vol10
volume rm nope
volume prune
volume prune -f
volume prune -a -f --filter label=x
volume prune -f --filter all=1
volume update vol10
container prune
container prune -f --filter until=1h
image prune
image prune -a
image prune -f
image prune -af --filter label!=x
system prune
system prune -f
system prune -af --volumes --filter label=a
builder prune -f
builder prune -af --keep-storage 1gb --filter until=24h
builder prune
builder prune -a
secret create n -
secret create n file -l a=b --template-driver golang
secret create n
secret create n - --driver vault
secret create n --driver vault
secret create n /nope
secret rm b10 nope
config create n file -l a=b
config create n
config rm b10
exec nope true
exec -d web true
exec -it web true
exec --env-file env -e A=b -w /x -u 1 --privileged -d web true
cp web:/x -
cp nope:/x .
cp file web:/x
cp file nope:/x
cp a:b c:d
cp x y
attach nope
logs nope
logs --since x web
logs --tail x web
stats nope
stats --no-stream nope
"""

ABSENT = """
plugin inspect nope nope2
plugin upgrade nope
checkpoint ls web
checkpoint create web a
checkpoint rm web a
checkpoint ls
swarm unlock
swarm join
swarm join-token
node update
node promote
service create
service scale
service logs
stack deploy
stack deploy x
stack rm
service create --foo
service update --update-delay x y
swarm init --data-path-port 99999999999
"""

MISTAKES = """
--foo
--foo ps
-x ps
nope
nope --help
container
container nope
container --foo
container ls nope
unpause -h
container -h
plugin disable -h
run -h
network
network nope
system nope
context nope
secret nope
swarm nope
ps --foo
ps -z
ps -n
ps -n x
ps --all=maybe
ps --filter
ps -f x
ps -fname
ps extra
images a b
run
run --memory
run -m
run -m 1x nginx
run -it
create
start
stop
rm
rmi
kill
exec
exec web
cp
cp a
tag a
rename a
inspect
top
port
diff
wait
export
commit
history
login a b
logout a b
network create
network connect
network connect a
network disconnect a
network rm
volume rm
volume inspect
volume create a b
context create
context use
context import a
context export
secret create
config create a
config inspect
plugin inspect
builder prune x
system df x
system info x
info x
version x
events x
stats --foo
update
update nope
search a b
-H a -c b ps
-l foo ps
-c nope ps
--tlscacert
version --format
version -f '{{.X'
help nope
"""

DIFFERENCES = {
    "ps --format '{{.}}'": "shows the inside of docker's memory",
    "inspect -f '{{.State}}' web": "docker shows the address of the health check in its memory",
    "version": "the client has a version of its own, and tells Python's",
    "run -d nginx": "docker waits for a container that nobody waits for",
    "run -d --rm nginx": "the same",
    "volume create --type block --scope single --sharing none --limit-bytes 1g --required-bytes 1m vol": "refused before the engine does so: there is no swarm",
    "attach nope": "docker begins to wait before it looks",
    "inspect nope": "docker asks whether the engine is in a swarm",
    "inspect web nope": "the same",
    "inspect -f '{{.Id}}' nope": "the same",
    "network rm net10": "docker looks first whether the network is a swarm's",
    "network rm net10 nope": "the same",
    "network rm -f nope": "the same",
    "nope --help": "the list of commands is our own",
    "images a b": "docker's text has a slip",
    "login a b": "the same",
    "logout a b": "the same",
    "volume create a b": "the same",
    "context use": "docker forgets its usual words here",
}
"""What differs, with the reason; what differs no more is refused."""

LINES = [
    line
    for block in (LISTS, INSPECTIONS, CHANGES, ABSENT, MISTAKES)
    for line in block.strip().splitlines()
]
