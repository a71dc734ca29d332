"""The protocols of the three papers whose systems this library has, and the one on Paper Dolls.

`Ours:` marks what a paper does not say; the same sentences are in the protocols' `silences`.
"""

from dataclasses import replace

from toile.evaluation.protocols.protocol import (
    DollRules,
    MetricUse,
    PairRules,
    PictureRules,
    Protocol,
    ReferenceRules,
    Task,
)

FULL = (1024, 768)
"""Height and width of VITON-HD's and DressCode's pictures."""
VITON_HD_TEST = 2032
"""Pairs of VITON-HD's test split. Source: Choi et al. 2021, Sec. 4.1; its `test_pairs.txt`."""
DRESSCODE_TEST = 1800
"""Test pairs of each category of DressCode. Source: Morelli et al. 2022, Sec. 3.4 (5,400 in all)."""
DOLLS_FIRST = 10_000_000
"""The first seed that no training ever sees."""
DOLLS_COUNT = 200
DOLLS_SIZE = (256, 192)
DOLLS_DRAWING = "a5d4ed97497d412dd287ff06c35ae843e1e069d66580a21043f160c2fec8bf1b"
"""`pairs.drawing_hash` of the dolls as they were drawn when the benchmark was frozen."""
DOLLS_LISTS: dict[bool, str] = {
    True: "59bfbc860f977482ad925cd4c5acca4946ad8f229eabfc23439f42041c564225",
    False: "614d503df75107ef454a4cc23dfcd9a54c2310175ad0848dd677c8f09a60dd72",
}
"""`pairs.list_hash` of the benchmark's pairs, by whether they are paired."""
SIZE_UNSAID = (
    "Ours: the paper does not say at which size and by which filter it compares; 1024×768 without resizing."
)


def metrics(*names: str) -> tuple[MetricUse, ...]:
    """Metrics by their short names; KID is multiplied by 1e3, as every paper prints it."""
    return tuple(MetricUse(name=name, scale=1000.0 if name in ("kid", "kd_dolls") else 1.0) for name in names)


def viton_hd(*, paired: bool = True, duplicates_removed: bool = False) -> PairRules:
    """VITON-HD's test split."""
    return PairRules(
        dataset="viton-hd",
        split="test",
        paired=paired,
        categories=("upper",),
        count=None if duplicates_removed else VITON_HD_TEST,
        duplicates_removed=duplicates_removed,
    )


def full_size(*, region: bool = False) -> PictureRules:
    """1024×768, compared as they are; `region` looks at the agnostic mask instead of the silhouette."""
    return PictureRules(
        size=FULL,
        prediction_size=FULL,
        resizing="none",
        region="mask" if region else "silhouette",
        mask="oracle" if region else "none",
    )


IGR_PAIRED = Protocol(
    name="igr-viton-hd-paired",
    version=1,
    title="Restored garments on VITON-HD's test photos, against the true flat garments",
    source="IGR (arXiv 2412.11513), Tab. 1-3, left half",
    task="restore",
    pairs=viton_hd(),
    pictures=replace(full_size(), mask="oracle", cut_out=True),
    metrics=metrics("ssim", "lpips_alex", "dists", "fid", "clip_fid", "kid"),
    reference=ReferenceRules(side="targets", dataset="viton-hd", split="test"),
    silences=(
        SIZE_UNSAID,
        "Ours: the paper does not name LPIPS's network; AlexNet, its authors' default.",
        "Ours: all 2,032 test pairs count; the paper speaks of no duplicates.",
        "CFLD, OOTD and IDM of Tab. 1 draw a person; the garment is cut out by SAM 2 first: give --cut.",
    ),
)

IGR_STREET = Protocol(
    name="igr-street-tryon-unpaired",
    version=1,
    title="Restored garments from StreetTryOn's test photos, as a set, against VITON-HD's garments",
    source="IGR (arXiv 2412.11513), Tab. 1-3, right half, and Sec. 4.2: VITON-HD's garments are the real set",
    task="restore",
    pairs=PairRules(
        dataset="street-tryon",
        split="test",
        paired=False,
        categories=("upper", "lower", "dress"),
        count=None,
    ),
    pictures=replace(full_size(), mask="oracle", cut_out=True),
    metrics=metrics("fid", "clip_fid", "kid"),
    reference=ReferenceRules(side="garments", dataset="viton-hd", split="test"),
    silences=(
        "Ours: the paper does not say which split of VITON-HD is the real set; its test split's garments.",
        "Ours: the paper gives no number of photos; every photo of the test list counts, once a pair.",
    ),
)

TWGTM_SILENCES = (
    "Ours: the paper's appendix with the settings is not at hand; 1024×768 without resizing, raw pictures.",
    "Ours: LPIPS's network is not named; AlexNet. DINO is DINO's own ViT on whole pictures.",
)

TWGTM_TRY_ON = Protocol(
    name="twgtm-try-on-viton-hd",
    version=1,
    title="Persons of VITON-HD's test photos in their own garments again, against the photos",
    source="TWGTM (arXiv 2508.04551), Tab. 1 and 4",
    task="tryon",
    pairs=viton_hd(),
    pictures=full_size(region=True),
    metrics=metrics("fid", "dino", "ssim", "lpips_alex"),
    reference=ReferenceRules(side="targets", dataset="viton-hd", split="test"),
    silences=TWGTM_SILENCES,
)

TWGTM_TRY_ON_UNPAIRED = Protocol(
    name="twgtm-try-on-viton-hd-unpaired",
    version=1,
    title="Persons of VITON-HD's test photos in others' garments, as a set, against the photos",
    source="Ours, beside TWGTM's Tab. 1: what the same method gives where nobody knows the truth",
    task="tryon",
    pairs=viton_hd(paired=False),
    pictures=full_size(region=True),
    metrics=metrics("fid", "kid"),
    reference=ReferenceRules(side="persons", dataset="viton-hd", split="test"),
    silences=TWGTM_SILENCES,
)

TWGTM_TAKE_OFF = Protocol(
    name="twgtm-take-off-viton-hd",
    version=1,
    title="Garments taken off the persons of VITON-HD's test photos, against the true flat garments",
    source="TWGTM (arXiv 2508.04551), Tab. 3 and 4",
    task="takeoff",
    pairs=viton_hd(),
    pictures=full_size(),
    metrics=metrics("ssim", "ms_ssim", "cw_ssim", "lpips_alex", "fid", "clip_fid", "kid", "dists"),
    reference=ReferenceRules(side="targets", dataset="viton-hd", split="test"),
    silences=(
        *TWGTM_SILENCES,
        "Variant 3 of Tab. 4 knows the true garment's rectangle: an oracle; name such predictions so.",
    ),
)


def twgtm_dresscode(category: str) -> Protocol:
    """TWGTM's Tab. 2 for one category."""
    return Protocol(
        name=f"twgtm-try-on-dresscode-{category}",
        version=1,
        title=f"Persons of DressCode's test photos in their own {category} garments again",
        source="TWGTM (arXiv 2508.04551), Tab. 2",
        task="tryon",
        pairs=PairRules(
            dataset="dresscode", split="test", paired=True, categories=(category,), count=DRESSCODE_TEST
        ),
        pictures=full_size(region=True),
        metrics=metrics("fid", "dino", "ssim", "lpips_alex"),
        reference=ReferenceRules(side="targets", dataset="dresscode", split="test"),
        silences=TWGTM_SILENCES,
    )


def anydressing(name: str, title: str, count: int, similarity: str) -> Protocol:
    """AnyDressing's Tab. 1 and 3: so many items, each garment or outfit with seven prompts."""
    return Protocol(
        name=name,
        version=1,
        title=title,
        source="AnyDressing (arXiv 2412.04146), Tab. 1 and 3, Sec. 5.1",
        task="dress",
        pairs=PairRules(
            dataset="dressing", split="", paired=False, categories=("upper", "lower", "dress"), count=count
        ),
        pictures=PictureRules(size=None, prediction_size=(768, 576), resizing="none"),
        metrics=metrics("clip_t", similarity, "aesthetic"),
        silences=(
            "The paper's choice of garments, and its seven prompts, were not published: give your own list.",
            "Ours: regions of CLIP-I* come from human parsing or masks; the paper takes OpenPose's joints.",
        ),
    )


ANYDRESSING_SINGLE = anydressing(
    "anydressing-single", "One garment and a prompt: 300 garments × 7 prompts", 2100, "clip_i"
)
ANYDRESSING_MULTI = anydressing(
    "anydressing-multi", "Two garments and a prompt: 25 lowers × 10 uppers × 7 prompts", 1750, "clip_i_star"
)

FLAT_METRICS = metrics(
    "ssim", "ms_ssim", "cw_ssim", "psnr", "dists_dolls", "l1_within", "delta_e", "edges", "iou", "fd_dolls",
    "kd_dolls",
)  # fmt: skip
WORN_METRICS = metrics(
    "ssim", "ms_ssim", "psnr", "dists_dolls", "l1_within", "delta_e", "fd_dolls", "kd_dolls"
)


def dolls(task: Task, *, paired: bool = True) -> Protocol:
    """The benchmark on Paper Dolls: 200 unseen dolls of each mode, whose drawing is frozen too."""
    flat = task != "tryon"
    rules = DollRules(
        first=DOLLS_FIRST,
        count=DOLLS_COUNT,
        modes=("studio", "street"),
        size=DOLLS_SIZE,
        drawing_sha256=DOLLS_DRAWING,
    )
    return Protocol(
        name=f"dolls-{task}" if paired else f"dolls-{task}-unpaired",
        version=1,
        title=f"{2 * DOLLS_COUNT} new Paper Dolls, studio and street: {task}{'' if paired else ', unpaired'}",
        source="Ours: the benchmark that this library carries with it",
        task=task,
        pairs=PairRules(
            dataset="dolls",
            split="",
            paired=paired,
            categories=("upper", "lower", "dress"),
            count=2 * DOLLS_COUNT,
            list_sha256=DOLLS_LISTS[paired],
            dolls=rules,
        ),
        pictures=PictureRules(
            size=DOLLS_SIZE,
            prediction_size=DOLLS_SIZE,
            resizing="none",
            region="silhouette" if flat else "mask",
            mask="none" if task == "takeoff" else "oracle",
        ),
        metrics=(FLAT_METRICS if flat else WORN_METRICS) if paired else metrics("fd_dolls", "kd_dolls"),
        reference=ReferenceRules(side="targets" if paired else "persons", dataset="dolls", split=""),
    )


BUILT_IN: tuple[Protocol, ...] = (
    IGR_PAIRED,
    IGR_STREET,
    TWGTM_TRY_ON,
    TWGTM_TRY_ON_UNPAIRED,
    TWGTM_TAKE_OFF,
    *(twgtm_dresscode(category) for category in ("upper", "lower", "dress")),
    ANYDRESSING_SINGLE,
    ANYDRESSING_MULTI,
    dolls("restore"),
    dolls("takeoff"),
    dolls("tryon"),
    dolls("tryon", paired=False),
)
