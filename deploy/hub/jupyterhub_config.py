"""JupyterHub for a class: a container, a network and two folders for each learner.

The hub runs in a container itself (`compose.yaml`, or `make hub`), with the engine's socket and
with CLASS_FOLDER at the same path as on the host:

    homes/USER      the learner's home
    hand-ins/USER   what the learner has handed in; only teachers see those of others
    hub/            the hub's database, cookie secret and passwords
    learners.csv    the class list: one learner a line, or a roster with the column `learner`

CLASS_FOLDER    the folder above, an absolute path; needed
CLASS_TEACHERS  user names with commas between them; needed
CLASS_LIST      the class list, read anew at each sign-in [learners.csv in CLASS_FOLDER]
CLASS_IMAGE     the learners' image [handson]
CLASS_LANG      ja or en [ja]
CLASS_MEMORY    the memory of one learner [1G]
CLASS_CPU       the processors of one learner [1]
CLASS_INTERNET  yes: learners reach the internet [no]
CLASS_ACTIVITY_LOG  yes: the class board shows learners' errors, and learners are told so [no]
CLASS_SUBNET    the addresses of the learners' networks, eight for each [10.213.0.0/16]
CLASS_NAME      begins the names of containers and networks, and is their label [handson]
CLASS_AUTH      list; or dummy, without passwords, to try the hub on 127.0.0.1 [list]
CLASS_BOARD_TOKEN_FILE  where the class board finds its secret; without it there is no board
"""

import asyncio
import csv
import dbm
import os
import secrets
import shutil
import socket
import sys
import unicodedata
from contextlib import suppress
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.types import IPAMConfig, IPAMPool
from firstuseauthenticator import FirstUseAuthenticator
from jupyterhub.auth import DummyAuthenticator

c = get_config()  # noqa: F821  (JupyterHub gives it)


def refuse(seen, remedy):
    """End the hub before it serves anybody: what was seen, and what to do."""
    raise SystemExit(f"\n✘ {seen}\n→ {remedy}\n")


NAME = os.environ.get("CLASS_NAME") or "handson"
LANG = os.environ.get("CLASS_LANG") or "ja"
INTERNET = os.environ.get("CLASS_INTERNET") == "yes"
IMAGE = os.environ.get("CLASS_IMAGE") or "handson"
MEMORY = os.environ.get("CLASS_MEMORY") or "1G"
FOLDER = Path(os.environ.get("CLASS_FOLDER") or ".")
CLASS_LIST = Path(os.environ.get("CLASS_LIST") or FOLDER / "learners.csv")
COURSE = "/etc/handson/course.toml"  # in a learner's container; the class board reads it, too
HUB, LABEL = socket.gethostname(), {"handson.class": NAME}  # a container's host name is its id
BOARD_TOKEN = os.environ.get("CLASS_BOARD_TOKEN_FILE") or ""
LEARNER = 1000  # the user of the learners' image
LEAST_FREE = 1 << 30  # bytes of the disk, below which no server is started

if LANG not in ("ja", "en"):
    refuse(f"CLASS_LANG is “{LANG}”.", "Set it to ja or en.")
try:
    SUBNET = ip_network(os.environ.get("CLASS_SUBNET") or "10.213.0.0/16")
    SUBNETS = 1 << (29 - SUBNET.prefixlen)
except ValueError as error:  # a prefix longer than 29 is one, too
    refuse(f"CLASS_SUBNET: {error}.", "Set a private range such as 10.213.0.0/16 (8192 learners).")

WORDS = {
    "ja": {
        "welcome": "初めてサインインするときに入力したパスワード (7 文字以上) が、"
        "あなたのパスワードになります。",
        "stranger": "その名前がクラスの名簿にないか、パスワードが違います。"
        "名前を確かめてください。それでもサインインできなければ、先生に伝えてください。",
        "full": "クラスのディスクがいっぱいなので、サーバーを開始できません。"
        "先生に伝えてください。保存した作業は残っています。",
    },
    "en": {
        "welcome": "The password of your first sign-in (7 characters or more) becomes yours.",
        "stranger": "The name is not on the class list, or the password is wrong. "
        "Check the name. If you still cannot sign in, tell your teacher.",
        "full": "The disk of the class is full, so your server cannot start. "
        "Tell your teacher. What you saved is still there.",
    },
}[LANG]


# --- Who may sign in ------------------------------------------------------------------------------


def normalize(name):
    """Return a name as JupyterHub compares it: the same letters are the same name."""
    return unicodedata.normalize("NFC", name).strip().lower()


def read_names(path):
    """Return the names of a class list: its column `learner`, or else the first one."""
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp932")  # Excel's CSV on a Japanese Windows
    rows = [row for row in csv.reader(text.splitlines()) if row and not row[0].startswith("#")]
    heads = [normalize(head) for head in rows[0]] if rows else []
    column = heads.index("learner") if "learner" in heads else 0
    cells = (row[column] for row in rows["learner" in heads :] if len(row) > column)
    return {name for cell in cells if (name := normalize(cell))}


TEACHERS = {*map(normalize, os.environ.get("CLASS_TEACHERS", "").split(","))} - {""}


def describe(name):
    """Return what JupyterHub is told of who has signed in."""
    return {"name": name, "groups": ["instructors"] if name in TEACHERS else []}


class ClassList(FirstUseAuthenticator):
    """Signs in who is on the class list, with the password that the learner chose at first.

    The weak point: before a learner's first sign-in, another who knows the name may be quicker.  A
    teacher then deletes the user on the hub's admin page: the password is forgotten, the folders
    stay.  A teacher's name cannot be taken like this: the file `hub/teachers` has its password.
    """

    names = frozenset()

    def __init__(self, **settings):
        super().__init__(**settings)
        self.turn = asyncio.Lock()
        self.read_list()
        for name in TEACHERS:
            self.make_first_password(name)

    def make_first_password(self, name):
        """Make a teacher's first password, unless the teacher has one."""
        with dbm.open(self.dbm_path, "c", 0o600) as known:
            if name.encode() in known:
                return
        password = secrets.token_urlsafe(9)
        self.reset_password(name, password)
        file = os.open(FOLDER / "hub" / "teachers", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(file, "w", encoding="utf-8") as teachers:
            teachers.write(f"{name} {password}\n")

    def read_list(self):
        """Read the class list; where it cannot be read now, the names read before still count."""
        try:
            self.names = read_names(CLASS_LIST) | TEACHERS
        except (OSError, UnicodeDecodeError) as error:
            self.log.error("✘ The class list cannot be read: %s.\n→ Put it back.", error)

    def normalize_username(self, username):
        return normalize(super().normalize_username(username))

    def check_allowed(self, username, authentication=None):
        return username in self.names

    async def authenticate(self, handler, data):
        self.read_list()
        name = self.normalize_username(data["username"])
        handler.custom_login_error = WORDS["stranger"]
        # Before the password is looked at: a stranger's would be kept.
        if name not in self.names:
            return None
        # In a thread, because bcrypt takes its time and the hub would answer nobody; one at a time,
        # because the file of passwords has no lock.
        async with self.turn:
            known = await asyncio.to_thread(asyncio.run, super().authenticate(handler, data))
        return describe(name) if known else None

    async def refresh_user(self, user, handler=None):
        """Sign out who was taken off the list."""
        self.read_list()
        return user.name in self.names and describe(user.name)


class Anybody(DummyAuthenticator):
    """Signs in everybody under any name: to try the hub on one's own machine."""

    async def authenticate(self, handler, data):
        return describe(normalize(data["username"]))


# --- A learner's folders and network --------------------------------------------------------------


def name_folder(user, escaped):
    """Return the name of a user's folders: the user's own, or else one that no user's own can be.

    Grading reads the learner's name from the folder.
    """
    is_file_name = user.isprintable() and user[0] not in ".-~" and len(user.encode()) <= 200
    digest = sha256(user.encode()).hexdigest()[:12]  # two long names may begin alike
    return user if is_file_name else f"~{escaped[:150]}-{digest}"


def make_folder(path):
    """Make a folder for the learners' user alone, unless it is there."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
        os.chown(path, LEARNER, LEARNER)
    return str(path)


def mount(source, target, *, read_only=False):
    """Return a bind mount in Docker's long form, in which a name may hold a colon."""
    return {"type": "bind", "source": source, "target": target, "read_only": read_only}


def is_teacher(spawner):
    """Tell whether a server is a teacher's, by the sign-in."""
    return "instructors" in {group.name for group in spawner.user.groups}


async def prepare_server(spawner):
    """Make what a learner's container needs: two folders, and a network with the hub in it."""
    if shutil.disk_usage(FOLDER).free < LEAST_FREE:
        refusal = RuntimeError("the disk of CLASS_FOLDER is full")
        refusal.jupyterhub_message = WORDS["full"]
        raise refusal
    own = name_folder(spawner.user.name, spawner.escaped_name)
    if is_teacher(spawner):  # without a folder there, which grading would take for a learner's
        hand_ins = mount(str(FOLDER / "hand-ins"), "/home/learner/hand-ins", read_only=True)
    else:
        hand_ins = mount(make_folder(FOLDER / "hand-ins" / own), "/home/learner/hand-in")
    spawner.mounts = [mount(make_folder(FOLDER / "homes" / own), "/home/learner"), hand_ins]
    if (FOLDER / "homes" / "course.toml").is_file():
        own = mount(str(FOLDER / "homes" / "course.toml"), COURSE, read_only=True)
        spawner.mounts = [*spawner.mounts, own]
    spawner.network_name = f"{NAME}-{spawner.escaped_name}"
    await remove_network(spawner)
    await create_network(spawner)
    await spawner.docker("connect_container_to_network", HUB, spawner.network_name, aliases=["hub"])


async def create_network(spawner):
    """Make a learner's network, with free addresses of CLASS_SUBNET.

    Docker's own address pools end after about thirty networks.
    """
    given = {
        "driver": "bridge",
        "internal": not INTERNET,  # without a way out; and without an address of the host's in it
        "options": {} if INTERNET else {"com.docker.network.bridge.inhibit_ipv4": "true"},
        "labels": LABEL,
    }
    for number in range(SUBNETS):  # from the user's number on: that is free unless another uses it
        first = SUBNET[8 * ((spawner.user.id + number) % SUBNETS)]
        ipam = IPAMConfig(pool_configs=[IPAMPool(subnet=f"{first}/29")])
        try:
            return await spawner.docker("create_network", spawner.network_name, ipam=ipam, **given)
        except APIError as error:
            if "overlaps" not in str(error):
                raise
    raise RuntimeError(f"{SUBNET} has no free addresses: set CLASS_SUBNET to a larger range")


async def remove_network(spawner):
    """Remove a learner's network, if it is there."""
    name = f"{NAME}-{spawner.escaped_name}"
    with suppress(APIError):
        await spawner.docker("disconnect_container_from_network", HUB, name, force=True)
    try:
        await spawner.docker("remove_network", name)
    except NotFound:
        pass
    except APIError as error:  # a container is still leaving it; the next start tries again
        spawner.log.warning("network %s stays: %s", name, error)


def rejoin_networks(engine):
    """Bring the hub back into the networks of running servers, and remove the other networks."""
    for network in engine.networks(filters={"label": f"handson.class={NAME}"}):
        inside = engine.inspect_network(network["Id"])["Containers"]
        with suppress(APIError):
            if inside.keys() - {engine.inspect_container(HUB)["Id"]}:
                engine.connect_container_to_network(HUB, network["Id"], aliases=["hub"])
            else:
                engine.disconnect_container_from_network(HUB, network["Id"], force=True)
        with suppress(APIError):
            engine.remove_network(network["Id"])  # the engine refuses while it is in use


def check_class():
    """Refuse to start where nobody could sign in, or no server could be started."""
    if not FOLDER.is_absolute():
        refuse("CLASS_FOLDER is not set to an absolute path.", "Set it to the folder of the class.")
    if not TEACHERS:
        refuse("CLASS_TEACHERS is empty.", "Set it to the user names of the teachers.")
    try:
        if os.environ.get("CLASS_AUTH") != "dummy" and not read_names(CLASS_LIST):
            refuse(f"The class list {CLASS_LIST} has no names.", "Write one user name a line.")
    except (OSError, UnicodeDecodeError) as error:
        refuse(f"The class list cannot be read: {error}.", "Write one user name a line into it.")
    try:
        for name in ("homes", "hand-ins"):
            make_folder(FOLDER / name)
        (FOLDER / "hub").mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        refuse(f"CLASS_FOLDER cannot be written: {error}.", "Mount it into the hub, for writing.")
    try:
        engine = docker.APIClient(version="auto", **docker.utils.kwargs_from_env())
        engine.inspect_image(IMAGE)
        rejoin_networks(engine)
        engine.inspect_container(HUB)
    except NotFound as error:
        refuse(
            f"No image {IMAGE}, or the hub runs outside of a container: {error.explanation}.",
            "Build the image with deploy/Dockerfile; start the hub with compose.yaml or make hub.",
        )
    except DockerException as error:
        refuse(
            f"No container engine answers: {error}.",
            "Mount the engine's socket as /var/run/docker.sock, or set DOCKER_HOST.",
        )


def make_board_token(path):
    """Return the class board's secret, which is made at the first start, for the board to read."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o400), "w") as file:
            file.write(secrets.token_hex(32))
        os.chown(path, LEARNER, LEARNER)
    return path.read_text().strip()


os.umask(0o077)  # all files of the hub are its own
check_class()

# --- JupyterHub -----------------------------------------------------------------------------------

c.JupyterHub.bind_url = "http://0.0.0.0:8000"  # of the container; compose.yaml publishes it
c.JupyterHub.hub_bind_url = "http://0.0.0.0:8081"  # the API that learners' servers call
c.JupyterHub.hub_connect_url = "http://127.0.0.1:8081"  # for proxy and culler, beside the hub
c.Spawner.hub_connect_url = "http://hub:8081"  # its name in each learner's network
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/hub/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{FOLDER}/hub/cookie_secret"  # made at the first start, 0600
# Servers outlive a restart of the hub, so an update of the hub interrupts nobody.
c.JupyterHub.cleanup_servers = False
# One server a user: a second tab joins it.
c.JupyterHub.allow_named_servers = False
c.JupyterHub.concurrent_spawn_limit = 20  # a whole class presses the button at once
c.JupyterHub.template_vars = {"announcement_login": WORDS["welcome"]}

# CLASS_AUTH=dummy has no passwords.  For LTI 1.3 (Moodle, Canvas …) the learning platform signs in:
# `ltiauthenticator.lti13.auth.LTI13Authenticator` in place of ClassList, with its client ids and
# URLs (jupyterhub-ltiauthenticator's documentation), and `username_key` set to what the roster has.
if os.environ.get("CLASS_AUTH") == "dummy":
    c.JupyterHub.authenticator_class = Anybody
    c.Authenticator.allow_all = True
    print("⚠ Anybody may sign in under any name, without a password.", file=sys.stderr)
    print("→ Keep this hub on 127.0.0.1; unset CLASS_AUTH for a class.", file=sys.stderr)
else:
    c.JupyterHub.authenticator_class = ClassList
    c.Authenticator.allow_existing_users = False  # the list decides, not the hub's database
c.Authenticator.any_allow_config = True  # ClassList answers for itself
c.Authenticator.manage_groups = True  # "instructors" is CLASS_TEACHERS, at each sign-in
c.FirstUseAuthenticator.dbm_path = f"{FOLDER}/hub/passwords"

c.JupyterHub.load_roles = [
    {
        # They see who is there, stop and start servers, and reset a password (delete the user).
        # Not "access:servers": a learner's JupyterLab opens for its learner alone.
        "name": "instructors",
        "scopes": [
            *("admin-ui", "list:users", "read:users:activity", "servers", "delete:users"),
            *(["access:services!service=board"] if BOARD_TOKEN else []),
        ],
        "groups": ["instructors"],
    },
    {
        "name": "culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["culler"],
    },
]
c.JupyterHub.services = [
    {
        # A server that nobody has used for an hour ends, and any after eight hours.
        "name": "culler",
        "command": [
            *(sys.executable, "-m", "jupyterhub_idle_culler"),
            *("--timeout=3600", "--max-age=28800"),
        ],
    },
]
if BOARD_TOKEN:  # of a container beside the hub's, see compose.yaml
    c.JupyterHub.services.append(
        {
            "name": "board",
            "url": "http://board:8890",
            "api_token": make_board_token(Path(BOARD_TOKEN)),
            "oauth_client_id": "service-board",
            "oauth_no_confirm": True,
            "timeout": 1,  # seconds that the hub waits for it: it starts after the hub
        }
    )

# --- A learner's container ------------------------------------------------------------------------

c.JupyterHub.spawner_class = "dockerspawner.DockerSpawner"
c.DockerSpawner.image = IMAGE
c.DockerSpawner.pull_policy = "never"  # no stranger's image of that name
c.DockerSpawner.name_template = NAME + "-{username}"
c.DockerSpawner.use_internal_ip = True  # the proxy reaches it in its network; no port is published
c.DockerSpawner.remove = True  # what is to stay is in the home; state is saved as it changes
c.DockerSpawner.pre_spawn_hook = prepare_server
c.DockerSpawner.post_stop_hook = remove_network
c.DockerSpawner.extra_create_kwargs = {"user": str(LEARNER), "labels": LABEL}
c.DockerSpawner.extra_host_config = {
    "cap_drop": ["ALL"],
    "security_opt": ["no-new-privileges"],
    "pids_limit": 512,  # processes and threads: a fork bomb ends here
    "read_only": True,
    "tmpfs": {"/tmp": "size=256m,mode=1777"},  # counts as memory of the container
    "memswap_limit": MEMORY,  # the same as the memory: no swap
    "ulimits": [{"name": "fsize", "soft": 1 << 30, "hard": 1 << 30}],  # no file above 1 GB
    "log_config": {"type": "json-file", "config": {"max-size": "5m", "max-file": "2"}},
}
c.Spawner.poll_interval = 10  # seconds, until a server that was killed can be started again
c.Spawner.mem_limit = MEMORY
c.Spawner.cpu_limit = float(os.environ.get("CLASS_CPU") or 1)
c.Spawner.notebook_dir = "/home/learner"
c.Spawner.default_url = f"/lab/tree/{LANG}/00-prepare.ipynb"
c.Spawner.start_timeout = c.Spawner.http_timeout = 120  # when a whole class starts at once
# A kernel that has been idle for twenty minutes ends, also with its notebook open: each is 100 MB.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=1200",
    "--MappingKernelManager.cull_interval=60",
    "--MappingKernelManager.cull_connected=True",
]
c.Spawner.environment = {
    "HANDSON_ENGINE": "builtin",  # a learner's container has no container engine
    "HANDSON_HOME": "/home/learner/.handson",
    "HANDSON_HAND_IN": lambda spawner: "" if is_teacher(spawner) else "/home/learner/hand-in",
    "HANDSON_LANG": LANG,
    "HANDSON_ACTIVITY_LOG": "on" if os.environ.get("CLASS_ACTIVITY_LOG") == "yes" else "off",
    "HANDSON_COURSE": lambda spawner: (
        COURSE if (FOLDER / "homes" / "course.toml").is_file() else ""
    ),
}
