"""A task that trains in milliseconds and has all that a resume must keep; tests start it in processes."""

import multiprocessing
import os
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.utils.data import Dataset

from toile.diffusion.optimization import Optimization
from toile.errors import ToileError
from toile.training.loop import train
from toile.training.settings import RunSettings


class Numbers(Dataset[dict[str, Tensor]]):
    """Items that are read with random augmentation from the global generator."""

    def __init__(self, length: int = 13) -> None:
        generator = torch.Generator().manual_seed(1)
        self.values = torch.randn(length, 6, generator=generator)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {"x": self.values[index] + 0.1 * torch.randn(6)}


class SmallModel(nn.Module):
    """Dropout, a frozen part, a buffer that counts, and `wide` numbers: they make checkpoints slow."""

    def __init__(self, wide: int = 6) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv1d(1, 4, 3, padding=1)
        self.body = nn.Sequential(nn.Linear(24, 32), nn.SiLU(), nn.Dropout(0.2), nn.Linear(32, 6))
        self.frozen = nn.Linear(6, 6).requires_grad_(False)
        self.wide = nn.Parameter(torch.zeros(wide))
        self.register_buffer("seen", torch.zeros((), dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.seen += 1
        return self.body(self.conv((x + self.wide[:6])[:, None]).flatten(1)) + self.frozen(x)


class SmallTask:
    """Predict the noise that was added; the loss is NaN once the model was called `fail_after` times."""

    name = "small"

    def __init__(self, wide: int = 6, fail_after: int | None = None) -> None:
        self.model = SmallModel(wide)
        self.dataset = Numbers()
        self.fail_after = fail_after
        self.validated: list[Tensor] = []

    def loss(
        self, model: nn.Module, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        noise = torch.randn(batch["x"].shape, generator=generator, device=batch["x"].device)
        error = (model(batch["x"] + noise) - noise).float()
        loss = error.square().mean()
        if self.fail_after is not None and int(self.model.seen) > self.fail_after:
            loss = loss * float("nan")
        return {"loss": loss, "absolute": error.abs().mean()}

    def validate(self, model: nn.Module) -> dict[str, float]:
        assert not model.training and not torch.is_grad_enabled()
        self.validated.append(self.model.conv.weight.detach().clone())
        return {"error": float(model(torch.randn(4, 6)).abs().mean())}

    def sample(self, model: nn.Module) -> Image.Image | None:
        return Image.new("RGB", (4, 4), (int(torch.rand(()) * 255),) * 3)

    def export(self, model: nn.Module, folder: Path) -> None:
        state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
        save_file(state, folder / "model.safetensors")


def small_optimization(
    steps: int = 30, batch_size: int = 8, gradient_accumulation: int = 2, learning_rate: float = 1e-2
) -> Optimization:
    """A few steps with everything switched on."""
    return Optimization(
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        warmup_steps=5,
        final_learning_rate=1e-3,
        gradient_accumulation=gradient_accumulation,
        ema_decay=0.9,
    )


def small_run(folder: Path, save_every: int = 3, workers: int = 0) -> RunSettings:
    """Settings under which every kind of output is written."""
    return RunSettings(
        folder=folder,
        save_every=save_every,
        validate_every=10,
        sample_every=10,
        log_every=2,
        workers=workers,
        device="cpu",
        threads=1,
    )


def train_in_process(
    task: SmallTask, optimization: Optimization, run: RunSettings, rank: int, world: int, port: int
) -> None:
    """What a started process does; it ends as a command line would, its message in "<folder>.said"."""
    begun = run.folder.with_name(f"{run.folder.name}.begun")
    begun.touch()
    if world > 1:
        names = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": world, "MASTER_PORT": port}
        os.environ |= {name: str(value) for name, value in names.items()} | {"MASTER_ADDR": "127.0.0.1"}
    try:
        train(task, optimization, run)
    except ToileError as error:
        run.folder.with_name(f"{run.folder.name}.said").write_text(str(error))
        sys.exit(2)
    except KeyboardInterrupt as error:
        run.folder.with_name(f"{run.folder.name}.said").write_text(str(error))
        sys.exit(130)


def start(
    optimization: Optimization,
    run: RunSettings,
    *,
    make_task: Callable[[], SmallTask] = SmallTask,
    rank: int = 0,
    world: int = 1,
    port: int = 0,
) -> multiprocessing.Process:
    """Start a training in a process of its own; "<folder>.begun" appears when it begins."""
    context = multiprocessing.get_context("forkserver")  # a clean process, with the imports done once
    context.set_forkserver_preload(["toile.training.loop"])
    arguments = (make_task(), optimization, run, rank, world, port)
    process = context.Process(target=train_in_process, args=arguments)
    process.start()
    return process
