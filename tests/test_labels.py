import numpy as np
import pytest

from bodies import ellipsoid_heart
from cheart.errors import InputError
from cheart.grid import GRIDS
from cheart.labels import (
    LV,
    MYO,
    RV,
    SCHEMES,
    check_partial,
    check_topology,
    enclosure,
    parse_scheme,
    scheme_text,
    to_canonical,
)

HEART = ellipsoid_heart(grid=GRIDS["half"])


def test_every_named_scheme_is_read_back_from_its_text() -> None:
    for scheme in SCHEMES.values():
        assert parse_scheme(scheme_text(scheme)) == scheme


@pytest.mark.parametrize("text", ["1=lv,2=myo", "1=lv,1=myo,3=rv", "1=lv,2=wall,3=rv", "a=lv", "0=lv,2=myo,3=rv"])
def test_a_map_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="label scheme"):
        parse_scheme(text)


def test_acdc_labels_become_canonical() -> None:
    assert to_canonical(np.array([0, 1, 2, 3]), SCHEMES["acdc"]).tolist() == [0, RV, MYO, LV]


def test_a_label_that_the_scheme_lacks_is_named() -> None:
    with pytest.raises(InputError, match=r"label 3 is not in the scheme '1=lv,2=myo,4=rv'.*--scheme"):
        to_canonical(np.array([0, 1, 2, 3]), SCHEMES["ukdhp"])


def test_an_image_is_not_taken_for_a_label_map() -> None:
    with pytest.raises(InputError, match="not whole numbers"):
        to_canonical(np.array([0.0, 0.5]), SCHEMES["cheart"])


def test_a_heart_passes() -> None:
    check_topology(HEART)
    assert enclosure(HEART, LV) == 1.0
    assert enclosure(HEART, RV) < 0.6


@pytest.mark.parametrize("order", [(RV, MYO, LV), (MYO, LV, RV), (LV, RV, MYO), (MYO, RV, LV), (RV, LV, MYO)])
def test_every_exchange_of_labels_is_a_loud_error(order: tuple[int, int, int]) -> None:
    swapped = np.array([0, *order], np.uint8)[HEART]
    with pytest.raises(InputError, match="labels are exchanged"):
        check_topology(swapped, what="patient 7")


def test_an_empty_structure_is_named() -> None:
    without = np.where(HEART == RV, 0, HEART).astype(np.uint8)
    with pytest.raises(InputError, match="no voxel of the RV cavity"):
        check_topology(without)


def test_a_ventricle_without_its_wall_is_refused() -> None:
    bare = np.where(HEART == MYO, 0, HEART).astype(np.uint8)
    bare[0, 0, 0] = MYO
    with pytest.raises(InputError, match="boundary is myocardium"):
        check_topology(bare)


def test_a_frame_of_which_only_the_lv_was_traced() -> None:
    labels = HEART.copy()
    labels[labels == RV] = 0
    check_partial(labels, ("lv", "myo"))
    with pytest.raises(InputError, match="no voxel of the RV cavity"):
        check_partial(labels, ("lv", "myo", "rv"))
    with pytest.raises(InputError, match="none were expected, of the Myocardium"):
        check_partial(labels, ("lv",))
    with pytest.raises(InputError, match="are the two exchanged"):
        check_partial(np.array([0, 2, 1, 3], np.uint8)[labels], ("lv", "myo"))
