"""Pages driven in a real browser, without a window and without a GPU."""

import os

import pytest

pytestmark = pytest.mark.slow

DRAWN = """() => { const c = window.cheart; c.draw(0.3);
  const small = Object.assign(document.createElement("canvas"), { width: 60, height: 40 });
  const context = small.getContext("2d"); context.drawImage(c.canvas, 0, 0, 60, 40);
  const data = context.getImageData(0, 0, 60, 40).data; const colours = new Set();
  for (let i = 0; i < data.length; i += 4) colours.add([data[i] >> 4, data[i + 1] >> 4, data[i + 2] >> 4].join());
  return colours.size; }"""
EF = "window.cheart.people[0].beat.phenotypes.lvef"


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("which", ["atlas_page", "view_page"])
def test_a_page_opens_draws_hearts_and_asks_nobody(visit, request, which, size):
    there = visit(request.getfixturevalue(which), size).go()
    assert there.tell(DRAWN) > 12, "colours of hearts in the light"
    assert there.tell("document.documentElement.scrollWidth <= window.innerWidth + 1"), "nothing sticks out"
    assert "not a medical device" in there.page.inner_text("footer")
    assert there.quiet, (there.errors, there.asked)


def test_sliders_make_another_heart_and_the_link_remembers_it(visit, atlas_page):
    there = visit(atlas_page).go()
    before = there.tell("window.cheart.people[0].beat.curves.lv")
    age = there.page.get_by_role("slider", name="Age")
    age.focus()
    for _ in range(5):
        age.press("ArrowRight")
    there.wait(f"window.cheart.people[0].beat.curves.lv[0] !== {before[0]}")
    there.page.get_by_role("button", name="New heart").click()
    there.page.get_by_role("button", name="Two people").click()
    there.wait("location.hash.includes('b=')")
    seed, curve = there.tell("[window.cheart.people[0].seed, window.cheart.people[0].beat.curves.lv]")
    assert seed > 0
    again = visit(atlas_page).go(there.tell("location.hash"))
    assert again.tell("window.cheart.pair")
    assert again.tell("window.cheart.people[0].seed") == seed
    assert again.tell("window.cheart.people[0].beat.curves.lv") == pytest.approx(curve, rel=2e-3)
    assert there.quiet


def test_an_ejection_fraction_can_be_asked_for(visit, atlas_page):
    there = visit(atlas_page).go()
    target = there.tell(EF) - 0.5
    there.tell(f"""() => {{ const p = window.cheart.people[0];
      p.coordinates[0] = window.cheart.model.solveEf(p.conditions, p.seed, p.coordinates, {target});
      window.cheart.change(0); }}""")
    assert there.tell(EF) == pytest.approx(target, abs=1.0)


def test_what_is_normal_is_counted(visit, atlas_page):
    there = visit(atlas_page).go()
    there.wait("window.cheart.people[0].normal", seconds=90)
    low, middle, high = there.tell("Object.values(window.cheart.people[0].normal.lvedv)")
    assert low <= middle <= high
    assert there.page.locator("svg.range").count() == 8


def test_keys_and_files(visit, atlas_page):
    there = visit(atlas_page).go()
    there.page.keyboard.press("Space")
    there.page.keyboard.press("c")
    assert there.tell("window.cheart.style.cutting")
    there.page.keyboard.press(".")
    assert not there.tell("window.cheart.clock.playing")
    with there.page.expect_download() as taken:
        there.page.get_by_role("button", name="STL LV endocardium").click()
    solid = taken.value.path().read_bytes()
    assert int.from_bytes(solid[80:84], "little") * 50 + 84 == len(solid)
    with there.page.expect_download() as taken:
        there.page.get_by_role("button", name="PNG").click()
    assert taken.value.path().read_bytes().startswith(b"\x89PNG")
    with there.page.expect_download(timeout=90_000) as taken:
        there.page.get_by_role("button", name="GIF").click()
    assert taken.value.path().read_bytes().startswith(b"GIF89a")
    assert there.quiet, there.errors


def test_slices_move_with_the_level_and_the_curve_with_the_moment(visit, view_page):
    there = visit(view_page).go()
    slices = "JSON.parse(window.cheart.slices.drawn)"
    there.tell("() => Object.assign(window.cheart.clock, { playing: false, phase: 0.55 })")
    there.tell("() => window.cheart.restyle({ level: -20 })")
    there.wait(f"{slices}[1] === -20")
    assert there.tell(f"{slices}[0]") == [4, 2], "of 8 frames and of 4"
    assert there.tell("window.cheart.hearts.map((heart) => Boolean(heart.band && heart.around))") == [False, True]
    there.page.locator("svg.chart").click(position={"x": 60, "y": 60})
    there.wait("window.cheart.clock.phase < 0.2")
    assert there.quiet


def test_a_picture_where_webgl_is_missing(visit, atlas_page):
    there = visit(atlas_page, script="HTMLCanvasElement.prototype.getContext = () => null")
    there.go(ready="document.querySelector('main.sorry img')?.complete")
    assert there.tell("document.querySelector('main.sorry img').naturalWidth") > 100
    assert there.quiet


def test_it_beats_smoothly_in_software(visit, atlas_page):
    if os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip("the machine is busy: no rate can be measured")
    there = visit(atlas_page).go()
    there.tell("() => { window.cheart.clock.playing = true; }")
    there.wait("window.cheart.clock.rate >= 10", seconds=20)
