import json
import re
import zlib
from base64 import b64decode

import numpy as np
import pytest

from bodies import beating_ellipsoids
from cheart.errors import InputError
from cheart.pages import shell
from cheart.pages.atlas import atlas
from cheart.pages.view import view


def test_arrays_keep_their_numbers():
    values = np.array([[0.5, -1.0], [2.0, 0.0]])
    plain = shell.packed(values)
    assert (plain["type"], plain["shape"]) == ("float32", [2, 2])
    assert np.frombuffer(b64decode(plain["data"]), "<f4").tolist() == [0.5, -1.0, 2.0, 0.0]
    steps = shell.packed(values, scale=0.5, deflated=True)
    assert np.frombuffer(zlib.decompress(b64decode(steps["data"])), "<i2").tolist() == [1, -2, 4, 0]


def test_a_page_holds_its_data_and_no_way_out(tmp_path, monkeypatch):
    built = tmp_path / "page.html"
    built.write_text("<title>cheart</title><!--DATA--><script>1</script>")
    monkeypatch.setattr(shell, "PAGE", built)
    shell.write_page(tmp_path / "out.html", "view", "a </script> & b", {"words": "</script>"}, {})
    text = (tmp_path / "out.html").read_text()
    data = json.loads(re.search(r'id="cheart-data">(.*?)</script>', text).group(1))
    assert (data["kind"], data["words"]) == ("view", "</script>")
    assert "<title>a &lt;/script&gt; &amp; b</title>" in text


@pytest.mark.slow
def test_refusals(tmp_path, monkeypatch, model):
    heart = beating_ellipsoids(frames=2)
    with pytest.raises(InputError, match=r"ends in \.html"):
        view(heart, tmp_path / "out.pdf")
    with pytest.raises(InputError, match=r"2 titles \(--title\) for 1"):
        view(heart, tmp_path / "out.html", titles=["a", "b"])
    (tmp_path / "there.html").write_text("")
    with pytest.raises(InputError, match=r"there\.html"):
        atlas(model, tmp_path / "there.html")
    monkeypatch.setattr(shell, "PAGE", tmp_path / "nowhere.html")
    with pytest.raises(InputError, match="run make web"):
        shell.write_page(tmp_path / "out.html", "view", "", {}, {})
