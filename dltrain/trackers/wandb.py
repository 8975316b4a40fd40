"""How is a run recorded in Weights & Biases? Uploaded as it trains, or kept for `wandb sync`."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dltrain.trackers.contract import Ending, Epoch, TrackedRun, Tracker
from dltrain.trackers.flatten import flatten_scores

# How long wandb may take to reach its server. Its own default is 90 s.
INIT_SECONDS = 20.0

_EXIT_CODES = {"finished": 0, "failed": 1, "interrupted": 130}


class WandbTracker(Tracker):
    """Record history, config, summary and files; RUN/wandb/ holds all of it in any case."""

    name = "wandb"

    def __init__(self, options: Mapping[str, Any]) -> None:
        super().__init__(options)
        self._run: Any = None
        self._is_reachable = True

    def begin(self, run: TrackedRun) -> None:
        """Start the run, or go on with the one whose id is in memory.

        If the server can't be reached, that is raised, and the next try keeps the run offline.
        """
        wandb = _import_wandb()
        is_online = self._is_reachable and not is_offline(self.options, offline=run.offline)
        self.memory.setdefault("id", secrets.token_hex(4))
        # wandb would go to a temporary folder without a word if it can't write.
        (run.paths.root / "wandb").mkdir(exist_ok=True)
        settings = wandb.Settings(
            mode="online" if is_online else "offline",
            silent=True,
            console="off",
            disable_code=True,
            disable_git=True,
            init_timeout=INIT_SECONDS,
            finish_timeout=0.8 * self.timeout_seconds,
            finish_timeout_raises=True,
        )
        wandb.setup(settings=wandb.Settings(silent=True))
        try:
            self._run = wandb.init(
                project=self.options.get("project") or os.environ.get("WANDB_PROJECT") or run.name,
                entity=self.options.get("entity"),
                group=self.options.get("group"),
                tags=self.options["tags"] or None,
                name=run.label,
                id=self.memory["id"],
                resume="allow" if is_online else None,
                config=dict(run.config),
                dir=str(run.paths.root),
                settings=settings,
                reinit="create_new",
            )
        except Exception:
            self._is_reachable = False
            wandb.teardown()  # its process would still hold the id
            raise
        self.where = (
            str(self._run.url)
            if is_online
            else f"{_find_folder(self._run, run)} (offline; `wandb sync` and this path uploads it)"
        )

    def log_epochs(self, epochs: Sequence[Epoch]) -> None:
        """Log the numbers of each epoch that no earlier session has logged."""
        for epoch in epochs:
            if epoch.number > self.memory.get("epoch", 0):
                self._run.log(dict(epoch.values), step=epoch.number)
                self.memory["epoch"] = epoch.number

    def finish(self, ending: Ending) -> None:
        """Put the scores into the summary, save the files, end the run."""
        self._run.summary.update(flatten_scores(ending.splits))
        for path in ending.files:
            self._run.save(str(path.absolute()), str(ending.root.absolute()), policy="now")
        self._run.finish(exit_code=_EXIT_CODES[ending.state])
        self._run = None

    def abandon(self) -> None:
        """End the run as one that failed."""
        run, self._run = self._run, None
        if run is not None:
            run.finish(exit_code=1)


def is_offline(options: Mapping[str, Any], *, offline: bool) -> bool:
    """Tell whether nothing is uploaded: by `--offline`, by the config, or by WANDB_MODE."""
    mode = options.get("mode") or os.environ.get("WANDB_MODE") or "online"
    return offline or mode != "online"


def find_login_problem(options: Mapping[str, Any], *, offline: bool) -> str | None:
    """Return why wandb couldn't log in without asking a question. No network is asked."""
    if is_offline(options, offline=offline):
        return None
    wandb = _import_wandb()
    wandb.setup(settings=wandb.Settings(silent=True))
    try:
        found = wandb.login(prompt=False, verify=False)
    except wandb.errors.AuthenticationError as error:  # a key that can't be one
        return str(error).partition("\n")[0].rstrip(".")
    return None if found else "there is no key"


def _find_folder(wandb_run: Any, run: TrackedRun) -> Path:
    """Return the folder of an offline run, as the user would write it."""
    folder = Path(wandb_run.settings.sync_dir)
    return run.paths.root / "wandb" / folder.name


def _import_wandb() -> Any:
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
    import wandb

    return wandb
