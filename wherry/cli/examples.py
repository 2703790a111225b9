"""Examples below the help of the commands that people look up, by the key of `table.COMMANDS`.

Each is what it does and the words after `wherry`.
"""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "attach": (
        ("Look at a running container, and leave with ctrl-p ctrl-q", "attach web"),
        ("Look on without passing signals or input", "attach --no-stdin --sig-proxy=false web"),
    ),
    "commit": (("Keep a container's files as an image", "commit -m 'add tools' web me/web:tools"),),
    "container prune": (
        (
            "Remove containers that stopped more than a day ago",
            "container prune --filter until=24h",
        ),
    ),
    "context create": (
        ("Name an engine that ssh reaches", "context create far --docker host=ssh://me@host"),
    ),
    "context use": (("Speak to that engine from now on", "context use far"),),
    "cp": (
        ("Copy a file out of a container", "cp web:/etc/nginx/nginx.conf ."),
        ("Copy a directory in, with its owners", "cp -a site/. web:/usr/share/nginx/html"),
        ("Copy as a tar stream", "cp web:/var/log -"),
    ),
    "create": (("Make a container to be started later", "create --name web -p 8080:80 nginx"),),
    "diff": (("See what a container changed in its files", "diff web"),),
    "events": (
        ("See what happens to containers", "events --filter type=container"),
        ("See the last hour and end", "events --since 1h --until 0s"),
    ),
    "exec": (
        ("Open a shell in a running container", "exec -it web sh"),
        ("Run a command as another user", "exec -u postgres db psql -c 'select 1'"),
    ),
    "export": (("Write a container's files to a tar archive", "export -o web.tar web"),),
    "history": (("See the commands that an image was built by", "history --no-trunc nginx"),),
    "image prune": (
        ("Remove images that no container uses", "image prune -a"),
        ("Remove those without a name, and do not ask", "image prune -f"),
    ),
    "images": (
        ("List the images of one repository", "images nginx"),
        ("Show the platforms of each image", "images --tree"),
        ("Print names alone", "images --format '{{.Repository}}:{{.Tag}}'"),
    ),
    "import": (("Make an image from a tar archive of files", "import root.tar me/base"),),
    "info": (("Print one fact for a script", "info --format '{{.Driver}}'"),),
    "inspect": (
        (
            "Find a container's addresses",
            "inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' web",
        ),
        ("Print a part as JSON", "inspect -f '{{json .State.Health}}' web"),
    ),
    "kill": (("Have a server read its configuration again", "kill -s HUP web"),),
    "load": (("Load images from an archive", "load -i images.tar"),),
    "login": (
        ("Log in to a registry with a token", "login -u me --password-stdin registry.example"),
    ),
    "logs": (
        ("Follow the last lines", "logs -f -n 20 web"),
        ("See the last ten minutes, with times", "logs --since 10m -t web"),
        ("Search in them where they lie", "logs --grep 'error|warn' web"),
    ),
    "network connect": (
        ("Give a container another name in a network", "network connect --alias db back db-1"),
    ),
    "network create": (
        ("Make a network with a range of its own", "network create --subnet 10.9.0.0/24 back"),
        ("Make one that reaches no other network", "network create --internal back"),
    ),
    "network ls": (("List bridge networks", "network ls -f driver=bridge"),),
    "port": (("See where a container's port is published", "port web 80"),),
    "ps": (
        ("List containers that stopped, too", "ps -a"),
        ("List what is ill", "ps -f health=unhealthy"),
        ("Choose the columns", "ps --format 'table {{.Names}}\\t{{.Status}}\\t{{.Ports}}'"),
    ),
    "pull": (("Download for another platform", "pull --platform linux/arm64 alpine:3.20"),),
    "push": (("Upload to a registry", "push registry.example/me/web:1"),),
    "rename": (("Give a container another name", "rename web old-web"),),
    "restart": (("Restart, with half a minute to end", "restart -t 30 web"),),
    "rm": (
        ("Stop and remove a container and its anonymous volumes", "rm -f -v web"),
        ("Remove several", "rm web db"),
    ),
    "rmi": (("Remove an image's name, and the image with its last one", "rmi nginx:1.26"),),
    "run": (
        ("Try something and leave nothing behind", "run --rm -it alpine sh"),
        ("Run a server in the background", "run -d --name web -p 8080:80 nginx"),
        (
            "Keep data in a volume and limit memory",
            "run -d -v data:/var/lib/postgresql/data -m 512m postgres",
        ),
        ("Restart it when its health check calls it ill", "run -d --restart unhealthy app"),
    ),
    "save": (("Write images to an archive", "save -o images.tar nginx alpine"),),
    "search": (("Search for official images", "search -f is-official=true nginx"),),
    "secret create": (("Store a secret from standard input", "secret create password -"),),
    "start": (("Start and see what it says", "start -a job"),),
    "stats": (("Print once, for a script", "stats --no-stream --format json"),),
    "stop": (("Stop, with half a minute to end", "stop -t 30 web"),),
    "system df": (("See what takes the space", "system df -v"),),
    "system prune": (("Remove what nothing uses, volumes too", "system prune -a --volumes"),),
    "tag": (("Give an image a name in a registry", "tag web registry.example/me/web:1"),),
    "top": (("Choose what ps shows", "top web -o pid,rss,args"),),
    "update": (
        ("Change limits of a running container", "update -m 1g --memory-swap 2g --cpus 2 web"),
        ("Change what happens when it ends", "update --restart unless-stopped web"),
        ("Publish another port while it runs", "update --publish-add 9090:90 web"),
    ),
    "version": (("Print the engine's version", "version --format '{{.Server.Version}}'"),),
    "volume clone": (("Try an upgrade on a copy of the data", "volume clone data data-new"),),
    "volume create": (
        (
            "Make a volume in memory",
            "volume create -o type=tmpfs -o device=tmpfs -o o=size=64m scratch",
        ),
    ),
    "volume export": (("Back a volume up", "volume export -o data.tar data"),),
    "volume import": (("Bring it back under another name", "volume import data-2 data.tar"),),
    "volume ls": (("List volumes that nothing uses", "volume ls -f dangling=true"),),
    "wait": (("Wait for a container's end and print its exit code", "wait job"),),
}


def examples_text(key: str) -> str:
    """The block below a command's options; empty where there is none."""
    rows = EXAMPLES.get(key, ())
    if not rows:
        return ""
    return "\nExamples:\n" + "".join(f"  # {text}\n  wherry {line}\n" for text, line in rows)
