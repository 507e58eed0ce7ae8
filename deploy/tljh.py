"""The Littlest JupyterHub's settings for a class; docs/hosting.md says what comes before.

sudo cp deploy/tljh.py /opt/tljh/config/jupyterhub_config.d/handson.py
sudo tljh-config reload
"""

from glob import glob

c = get_config()  # noqa: F821  (JupyterHub gives it)

# The edition and JupyterLab's language: ja or en.
LANG = "ja"
# JupyterLab's settings as `handson lab` gives them: language, no news, terminals.
SETTINGS = glob("/opt/tljh/user/lib/python3*/site-packages/handson/notebook/jupyter")

# Each start lays out the notebooks in the home, or renews those that the learner has not changed.
LAY_OUT = f'handson workspace "$HOME" --lang {LANG}; exec jupyterhub-singleuser "$@"'
c.Spawner.cmd = ["sh", "-c", LAY_OUT, "sh"]
c.Spawner.default_url = f"/lab/tree/{LANG}/00-prepare.ipynb"
# A kernel that has been idle for twenty minutes ends, also with its notebook open: each is 100 MB.
c.Spawner.args = [
    "--MappingKernelManager.cull_idle_timeout=1200",
    "--MappingKernelManager.cull_interval=60",
    "--MappingKernelManager.cull_connected=True",
]
c.Spawner.environment = {
    "HANDSON_ENGINE": "builtin",  # learners have no container engine
    "HANDSON_LANG": LANG,
    "JUPYTER_CONFIG_PATH": ":".join(f"{each}/{LANG}:{each}" for each in SETTINGS),
}
