"""Which datasets can a config name, what is in each, and who publishes it under which checksum?

Pure data. Where the checksums come from:

- Keras: `keras/src/datasets/{mnist,cifar10}.py` of Keras 3.15.1 (SHA-256);
- torchvision: `torchvision/datasets/{mnist,cifar}.py` (MD5 of the `.gz` files and of CIFAR-10's
  batches; for Fashion-MNIST they are those of the README of zalandoresearch/fashion-mnist);
- IMDB: MD5 of the archive at ai.stanford.edu/~amaas/data/sentiment.

Class counts and the median length of texts were counted on the training rows once prepared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

Task = Literal["classification", "regression"]
Modality = Literal["image", "text", "tabular"]
Flip = Literal["horizontal", "vertical"]


@dataclass(frozen=True)
class SourceFile:
    """Name one published file: `urls` has the publisher first, then known mirrors.

    `digest` is `md5:HEX` or `sha256:HEX`, as published. `keras_cache` lists where Keras itself may
    have left the file, relative to `~/.keras/datasets`.
    """

    name: str
    urls: tuple[str, ...]
    digest: str
    keras_cache: tuple[str, ...] = ()


@dataclass(frozen=True)
class Option:
    """Describe one option of a dataset that is made rather than fetched.

    `low` and `high` bound a number, both inclusive.
    """

    default: int | float
    low: float
    high: float
    summary: str


ColumnKind = Literal["number", "category", "datetime", "text"]
"""What the values of a column of a table are."""


@dataclass(frozen=True)
class Feature:
    """Name one feature of a row that is made from a column of a table of one's own.

    number: the value. missing: 1 where the column's value is missing, else 0. category: 1 where
    the column has the text `value`, else 0; an empty `value` stands for a missing one. datetime:
    the part of the moment that `value` names. word: 1 where the text has the word, else 0; `value`
    numbers the words from 0, as only the training rows tell which they are.
    """

    column: str
    kind: Literal["number", "missing", "category", "datetime", "word"]
    value: str = ""


@dataclass(frozen=True)
class DatasetInfo:
    """Describe one dataset.

    `shape` is that of one row: `(height, width, channels)` of an image, `(features,)` of a table,
    `()` of a text. `test_rows` is 0 where no test split is published. `sources` holds
    alternatives: the files of any one of them are enough. `contents` maps a file inside the
    archive, by its bare name, to the published digest of its unzipped bytes.

    `class_counts` are the training rows of each class, in the order of `class_names`;
    `median_words` is the median length of a training text, in words of `dltrain.data.tokenize`
    before any is cut off, 0 where there are no texts. `flips` are the mirrorings, and
    `max_rotation` the turn (1 is the whole circle), after which an image still looks like one of
    its class. `features` are those of the rows of a table of one's own, in order;
    its `constant_columns` have the same value in every row, and tell nothing.
    """

    name: str
    task: Task
    modality: Modality
    class_names: tuple[str, ...]
    shape: tuple[int, ...]
    train_rows: int
    test_rows: int
    summary: str
    reader: Literal[
        "idx", "cifar", "aclimdb", "embedded",
        "csv", "parquet", "jsonl", "npz", "huggingface", "tfds", "image_folder", "text_folder",
    ] = "embedded"  # fmt: skip
    accepts: str = ""
    sources: tuple[tuple[SourceFile, ...], ...] = ()
    contents: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Option] = field(default_factory=dict)
    class_counts: tuple[int, ...] = ()
    median_words: int = 0
    flips: tuple[Flip, ...] = ("horizontal", "vertical")
    max_rotation: float = 0.5
    features: tuple[Feature, ...] = ()
    constant_columns: tuple[str, ...] = ()

    @property
    def embedded(self) -> bool:
        """Tell whether the dataset is built in or made, and so is never stored."""
        return self.reader == "embedded"


# Publisher: 403 to most clients for years, but a fast answer. Mirrors: torchvision's, Google's.
_MNIST_MIRRORS = (
    "http://yann.lecun.com/exdb/mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "https://storage.googleapis.com/cvdf-datasets/mnist",
)
# The README of zalandoresearch/fashion-mnist gives the first; Keras uses the second.
_FASHION_MNIST_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
)
_DIGITS = tuple(str(digit) for digit in range(10))
# A mirrored 2 or 7 is no digit, and a 6 turned by half a circle is a 9. At an eighth of a circle
# each way, two digits turned against each other are a quarter apart.
_DIGITS_ROTATION = 0.125
# Clothes and photos come mirrored, but hardly ever upside down.
_UPRIGHT_ROTATION = 0.25


def _idx_files(mirrors: tuple[str, ...], digests: Mapping[str, str]) -> tuple[SourceFile, ...]:
    return tuple(
        SourceFile(
            name=name,
            urls=tuple(f"{mirror}/{name}" for mirror in mirrors),
            digest=digest,
            keras_cache=(f"fashion-mnist/{name}", name),
        )
        for name, digest in digests.items()
    )


_DIGITS_INFO = DatasetInfo(
    name="digits",
    task="classification",
    modality="image",
    class_names=_DIGITS,
    shape=(8, 8, 1),
    train_rows=1797,
    test_rows=0,
    summary="handwritten digits, 8×8",
    class_counts=(178, 182, 177, 183, 181, 182, 181, 179, 174, 180),
    flips=(),
    max_rotation=_DIGITS_ROTATION,
)

_MNIST_INFO = DatasetInfo(
    name="mnist",
    task="classification",
    modality="image",
    class_names=_DIGITS,
    shape=(28, 28, 1),
    train_rows=60_000,
    test_rows=10_000,
    summary="handwritten digits, 28×28",
    reader="idx",
    accepts="mnist.npz, or the folder with the four IDX files (gzipped or not)",
    sources=(
        _idx_files(
            _MNIST_MIRRORS,
            {  # torchvision/datasets/mnist.py, MNIST.resources
                "train-images-idx3-ubyte.gz": "md5:f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "train-labels-idx1-ubyte.gz": "md5:d53e105ee54ea40749a09fcbcd1e9432",
                "t10k-images-idx3-ubyte.gz": "md5:9fb629c4189551a2d022fa330f9573f3",
                "t10k-labels-idx1-ubyte.gz": "md5:ec29112dd5afa0611ce80d1b7f02629c",
            },
        ),
        (
            SourceFile(
                name="mnist.npz",
                urls=("https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",),
                # keras/src/datasets/mnist.py
                digest="sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
                keras_cache=("mnist.npz",),
            ),
        ),
    ),
    contents={  # MD5 of the publisher's files once unzipped, whatever gzip made of them
        "train-images-idx3-ubyte": "md5:6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "md5:a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "md5:2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "md5:27ae3e4e09519cfbb04c329615203637",
    },
    class_counts=(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    flips=(),
    max_rotation=_DIGITS_ROTATION,
)

_FASHION_MNIST_INFO = DatasetInfo(
    name="fashion_mnist",
    task="classification",
    modality="image",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    shape=(28, 28, 1),
    train_rows=60_000,
    test_rows=10_000,
    summary="clothing, 28×28",
    reader="idx",
    accepts="the folder with the four IDX files (gzipped or not)",
    sources=(
        _idx_files(
            _FASHION_MNIST_MIRRORS,
            {  # torchvision/datasets/mnist.py, FashionMNIST.resources
                "train-images-idx3-ubyte.gz": "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "train-labels-idx1-ubyte.gz": "md5:25c81989df183df01b3e8a0aad5dffbe",
                "t10k-images-idx3-ubyte.gz": "md5:bef4ecab320f06d8554ea6380940ec79",
                "t10k-labels-idx1-ubyte.gz": "md5:bb300cfdad3c16e7a12a480ee83cd310",
            },
        ),
    ),
    class_counts=(6000,) * 10,  # Xiao et al. 2017, arXiv:1708.07747, section 2
    flips=("horizontal",),
    max_rotation=_UPRIGHT_ROTATION,
)

_CIFAR10_INFO = DatasetInfo(
    name="cifar10",
    task="classification",
    modality="image",
    class_names=(
        "airplane",
        "automobile",
        "bird",
        "cat",
        "deer",
        "dog",
        "frog",
        "horse",
        "ship",
        "truck",
    ),
    shape=(32, 32, 3),
    train_rows=50_000,
    test_rows=10_000,
    summary="colour photos, 32×32",
    reader="cifar",
    accepts="cifar-10-python.tar.gz, or the folder cifar-10-batches-py",
    sources=(
        (
            SourceFile(
                name="cifar-10-python.tar.gz",
                urls=("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
                # keras/src/datasets/cifar10.py
                digest="sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
                # get_file(fname="cifar-10-batches-py-target", extract=True) adds "_archive".
                keras_cache=("cifar-10-batches-py-target_archive", "cifar-10-batches-py.tar.gz"),
            ),
        ),
    ),
    contents={  # torchvision/datasets/cifar.py, CIFAR10.train_list and test_list
        "data_batch_1": "md5:c99cafc152244af753f735de768cd75f",
        "data_batch_2": "md5:d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "md5:54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "md5:634d18415352ddfa80567beed471001a",
        "data_batch_5": "md5:482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "md5:40351d587109b95175f43aff81a1287e",
    },
    class_counts=(5000,) * 10,
    flips=("horizontal",),
    max_rotation=_UPRIGHT_ROTATION,
)

_IMDB_INFO = DatasetInfo(
    name="imdb",
    task="classification",
    modality="text",
    class_names=("negative", "positive"),
    shape=(),
    train_rows=25_000,
    test_rows=25_000,
    summary="film reviews",
    reader="aclimdb",
    accepts="aclImdb_v1.tar.gz, or the folder aclImdb",
    sources=(
        (
            SourceFile(
                name="aclImdb_v1.tar.gz",
                urls=("https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",),
                digest="md5:7c2ac02c03563afcf9b574c7e56c153a",
                keras_cache=("aclImdb_v1.tar.gz", "aclImdb_v1_archive", "aclImdb_archive"),
            ),
        ),
    ),
    class_counts=(12_500, 12_500),
    median_words=176,
)

_DIABETES_INFO = DatasetInfo(
    name="diabetes",
    task="regression",
    modality="tabular",
    class_names=(),
    shape=(10,),
    train_rows=442,
    test_rows=0,
    summary="disease progression",
)

_SYNTHETIC_REGRESSION_INFO = DatasetInfo(
    name="synthetic_regression",
    task="regression",
    modality="tabular",
    class_names=(),
    shape=(100,),
    train_rows=1000,
    test_rows=0,
    summary="a made-up function",
    options={
        "rows": Option(1000, 2, 100_000_000, "how many rows to make"),
        "features": Option(100, 1, 100_000, "how many features a row has"),
        "noise": Option(0.1, 0, 1e6, "standard deviation of the noise; the signal's is about 1"),
        "nonlinearity": Option(0.2, 0, 1, "share of the signal that is not linear; 0: none"),
        "seed": Option(0, 0, 2**32 - 1, "seed of the features, the function and the noise"),
    },
)

DATASETS: Mapping[str, DatasetInfo] = MappingProxyType(
    {
        info.name: info
        for info in (
            _DIGITS_INFO,
            _MNIST_INFO,
            _FASHION_MNIST_INFO,
            _CIFAR10_INFO,
            _IMDB_INFO,
            _DIABETES_INFO,
            _SYNTHETIC_REGRESSION_INFO,
        )
    }
)
