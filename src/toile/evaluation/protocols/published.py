"""Presets "as published by": how others computed their figures, so that a published number can be met again.

Read in the repositories named in each protocol's `source`. What could not be found is said in `silences`.
None of them says that the way is a good one.
"""

from dataclasses import replace

from toile.evaluation.protocols.built_in import FULL, metrics, viton_hd
from toile.evaluation.protocols.protocol import (
    MetricUse,
    PairRules,
    PictureRules,
    Protocol,
    ReferenceRules,
)

TORCHMETRICS_SSIM = (
    "torchmetrics' SSIM also averages over the border that it pads by reflection; here the window stays "
    "inside the picture, which differs in the third decimal."
)

CATVTON = Protocol(
    name="catvton",
    version=1,
    title="Try-on on VITON-HD as CatVTON's eval.py measures it",
    source="github.com/Zheng-Chong/CatVTON: eval.py (metrics, resizing), inference.py (files written)",
    task="tryon",
    pairs=viton_hd(),
    pictures=PictureRules(
        size=(512, 384),
        prediction_size=(512, 384),
        resizing="lanczos",  # eval.py, copy_resize_gt: truths to the height of the predictions
        lossless=False,  # inference.py saves under the photo's name, a .jpg
        truth_jpeg_quality=75,  # eval.py saves the resized truths under their names, a .jpg; Pillow's default
        mask="oracle",
        region="mask",
        sets_as_written=False,
    ),
    metrics=metrics("fid", "kid", "ssim", "lpips_squeeze"),
    reference=ReferenceRules(side="targets", dataset="viton-hd", split="test"),
    silences=(
        "eval.py compares at the predictions' height, and inference.py writes 512×384 unless told otherwise.",
        "Pictures may be repainted or not (inference.py --repaint); which figures had which is not said.",
        "eval.py passes over pictures without a truth with a printed line; here they are refused.",
        TORCHMETRICS_SSIM,
    ),
)

TRYOFFDIFF = Protocol(
    name="tryoffdiff",
    version=1,
    title="Take-off on VITON-HD as TryOffDiff's eval.py measures it",
    source="github.com/rizavelioglu/tryoffdiff: tryoffdiff/modeling/eval.py, references/v1_instructions.md",
    task="takeoff",
    pairs=viton_hd(duplicates_removed=True),
    pictures=PictureRules(
        size=FULL,
        prediction_size=(512, 512),
        resizing="bilinear",  # torchvision's Resize: bilinear, antialiased
        shape="crop",  # 512×512 to 1024×1024, then the middle 1024×768
        sets_as_written=True,  # clean-fid is given the folders
    ),
    metrics=(
        *(MetricUse(name=name, grey=True) for name in ("ssim", "ms_ssim", "cw_ssim")),  # pyiqa's Y channel
        *metrics("lpips_alex", "fid", "clip_fid"),
        MetricUse(name="kid"),
        MetricUse(name="dists", size=(341, 256)),
    ),
    reference=ReferenceRules(side="targets", dataset="viton-hd", split="test"),
    silences=(
        "1,990 test pairs are left after its clean-vitonhd (arXiv 2411.18350, supplement A); give --exclude.",
        "pyiqa's SSIM, MS-SSIM and CW-SSIM look at Y of YCbCr in floats; here at Pillow's L, in 8 bits.",
        "DISTS crops 512×512 to 512×384 and then resizes; here it is resized and then cropped.",
        "eval.py averages means of batches for DISTS, so that a short last batch weighs more; not here.",
        "KID is printed as it is; the paper's tables may scale it.",
    ),
)

HR_VITON = Protocol(
    name="hr-viton",
    version=1,
    title="Try-on on VITON-HD as HR-VITON's evaluate.py measures it",
    source="github.com/sangyun884/HR-VITON: evaluate.py, README.md",
    task="tryon",
    pairs=viton_hd(),
    pictures=PictureRules(
        size=FULL,
        prediction_size=FULL,
        resizing="bilinear",  # at 512 and 256 the truths are resized so
        lossless=False,
        mask="oracle",
        region="mask",
    ),
    metrics=(
        MetricUse(name="ssim", grey=True),  # skimage on convert("L"), Gaussian window
        MetricUse(name="lpips_alex", size=(128, 128)),  # Resize((128, 128)), net-lin alex
        MetricUse(name="fid_legacy"),
    ),
    reference=ReferenceRules(side="targets", dataset="viton-hd", split="test"),
    silences=(
        "evaluate.py computes no FID; how the paper's was computed is in no file. Here: the legacy resizing.",
        "evaluate.py also gives MSE and an Inception Score, which this library does not.",
        "Truths and predictions are matched by the first number of their names.",
        "The aspect is lost at 128×128, as there.",
    ),
)


def ladi_vton(dataset: str) -> Protocol:
    """LaDI-VTON's figures on VITON-HD or DressCode."""
    pairs = viton_hd()
    if dataset == "dresscode":
        pairs = PairRules(
            dataset="dresscode", split="test", paired=True, categories=("upper", "lower", "dress"), count=5400
        )
    return Protocol(
        name=f"ladi-vton-{dataset}",
        version=1,
        title=f"Try-on on {dataset} as LaDI-VTON's val_metrics.py measures it",
        source="github.com/miccunifi/ladi-vton: src/utils/val_metrics.py, generate_fid_stats.py, "
        "image_from_pipe.py",
        task="tryon",
        pairs=pairs,
        pictures=PictureRules(
            size=(512, 384),
            prediction_size=(512, 384),
            resizing="bilinear",  # torchvision's Resize((512, 384)) on Pillow's pictures
            lossless=False,  # image_from_pipe.py writes JPEG of quality 95, or PNG with use_png
            mask="oracle",
            region="mask",
            sets_as_written=True,  # clean-fid on files; the truths' statistics come from the originals
        ),
        metrics=(*metrics("ssim", "lpips_alex", "fid"), MetricUse(name="kid")),
        reference=ReferenceRules(side="targets", dataset=pairs.dataset, split="test"),
        silences=(
            "Whether the paper's figures were computed on JPEG of quality 95 or on PNG is not said.",
            "val_metrics.py also gives an Inception Score, which this library does not.",
            TORCHMETRICS_SSIM,
        ),
    )


CATVTON_UNPAIRED = replace(
    CATVTON,
    name="catvton-unpaired",
    title="Unpaired try-on on VITON-HD as CatVTON's eval.py measures it",
    pairs=viton_hd(paired=False),
    metrics=metrics("fid", "kid"),
    reference=ReferenceRules(side="persons", dataset="viton-hd", split="test"),
)

PUBLISHED: tuple[Protocol, ...] = (
    CATVTON,
    CATVTON_UNPAIRED,
    TRYOFFDIFF,
    HR_VITON,
    ladi_vton("viton-hd"),
    ladi_vton("dresscode"),
)
