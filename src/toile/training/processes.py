"""One process or several: accelerate, set up for a run, and Ctrl-C.

Tested: one process, and several on CPUs (gloo). Not tested: several GPUs, and DeepSpeed ZeRO-2
(`accelerate launch --use_deepspeed --zero_stage 2`), the setting of IGR's paper, for which the loop keeps
to accelerate's own calls. Under DeepSpeed AdamW's moments are spread over the processes and stay out of
checkpoints: a resumed run begins new moments, so that its resume is not exact.
"""

import signal
import threading
from types import FrameType

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType

from toile.diffusion.optimization import Optimization
from toile.errors import ToileError
from toile.training.settings import RunSettings


def make_accelerator(optimization: Optimization, run: RunSettings) -> Accelerator:
    """An accelerator for this run.

    Raises:
        ToileError: when the device or the precision is not to be had.
    """
    if run.device == "cuda" and not torch.cuda.is_available():
        raise ToileError("device is 'cuda', but torch finds no GPU; leave the device out or write cpu")
    if run.threads is not None:
        torch.set_num_threads(run.threads)
    # accelerate keeps one global state; a run after another in one process (as `make weights`) brings its own
    alone = not torch.distributed.is_initialized()
    AcceleratorState._reset_state(reset_partial_state=alone)
    PartialState(cpu=run.device == "cpu")
    try:
        accelerator = Accelerator(
            cpu=run.device == "cpu",
            mixed_precision=optimization.mixed_precision,
            gradient_accumulation_steps=optimization.gradient_accumulation,
        )
    except ValueError as error:
        raise ToileError(
            f"mixed_precision {optimization.mixed_precision!r} is not possible: {error}"
        ) from error
    if optimization.mixed_precision == "fp16" and accelerator.device.type == "cpu":
        raise ToileError("mixed_precision is 'fp16', which a CPU cannot train in; write bf16 or no")
    _configure_deepspeed(accelerator, optimization)
    return accelerator


def uses_deepspeed(accelerator: Accelerator) -> bool:
    """Whether DeepSpeed owns the optimiser's state."""
    return bool(accelerator.distributed_type == DistributedType.DEEPSPEED)


def _configure_deepspeed(accelerator: Accelerator, optimization: Optimization) -> None:
    if not uses_deepspeed(accelerator):
        return
    if optimization.optimizer != "adamw":
        raise ToileError(f"DeepSpeed cannot spread optimizer {optimization.optimizer!r}; take adamw")
    shares = accelerator.num_processes * optimization.gradient_accumulation
    accelerator.state.deepspeed_plugin.deepspeed_config |= {
        "train_micro_batch_size_per_gpu": optimization.batch_size // shares,
        "gradient_accumulation_steps": optimization.gradient_accumulation,
        "gradient_clipping": optimization.max_gradient_norm,
    }


class Interrupt:
    """Within it, the first Ctrl-C only sets `asked`, and the second one ends the program at once."""

    def __init__(self) -> None:
        """Nothing was asked yet."""
        self.asked = False
        self._usable = threading.current_thread() is threading.main_thread()

    def __enter__(self) -> "Interrupt":
        """Listen."""
        if self._usable:
            self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        """Restore what was."""
        if self._usable:
            signal.signal(signal.SIGINT, self._before)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
