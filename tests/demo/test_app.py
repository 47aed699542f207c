"""The server's responses, without the network."""

import asyncio
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import keras
import numpy as np
import odd_files
import pytest
import tiny
from faces_in_place import Detector, FailingDetector, face_at
from fastapi import HTTPException, Request
from PIL import Image
from starlette.testclient import TestClient

from tfsr import ImplicitSR
from tfsr.demo.app import create_app
from tfsr.demo.face_search import FaceSearch
from tfsr.demo.restorers import Restorer, Restorers, load_restorer
from tfsr.demo.upload import receive
from tfsr.images import to_float, to_uint8
from tfsr.inference import ModelUpscaler, PhotographUpscaler, load_upscaler
from tfsr.inference.request import PixelLimits
from tfsr.models import Bicubic

SITE = "http://127.0.0.1:8138"


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return ImplicitSR.from_config(tiny.MODEL)


@contextmanager
def running(restorers, detector, **options):
    """A client of the application."""
    limits = PixelLimits(max_input=0.2, max_output=10)
    app = create_app(
        *(restorers, FaceSearch(detector), "tiny", limits, threading.Event()),
        max_bytes=1_000_000,
        **options,
    )
    # As a context: all requests are served by one loop, as those of a server are.
    with TestClient(app, base_url=SITE, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def restorers(model):
    return Restorers(lambda strength: Restorer(model, ModelUpscaler(Bicubic())))


@pytest.fixture(scope="module")
def client(restorers):
    """Of a server that cannot find faces: images are restored as a whole."""
    with running(restorers, FailingDetector()) as client:
        yield client


def add(client, pixels, name="face.png"):
    output = client.post("/images", params={"name": name}, content=odd_files.encoded(pixels))
    assert output.status_code == 201, output.text
    return output.json()


def query(size, box):
    (width, height), (left, top, columns, rows) = size, box
    return {
        **{"width": width, "height": height},
        **{"left": left, "top": top, "columns": columns, "rows": rows},
    }


def pixels_of(output):
    assert output.status_code == 200, output.text
    assert output.headers["content-type"] == "image/png"
    return np.array(Image.open(io.BytesIO(output.content)))


def check_error(output, code, *words):
    """One line of JSON, with the headers that every output has."""
    assert output.status_code == code
    assert list(output.json()) == ["error"]
    line = output.json()["error"]
    assert "\n" not in line and "/tmp" not in line
    for word in words:
        assert word in line
    assert "frame-ancestors 'none'" in output.headers["content-security-policy"]


def test_the_page_and_its_files_are_served(client):
    page = client.get("/")
    assert page.status_code == 200 and "<canvas" in page.text
    for name in ("style.css", "page.js", "stage.js", "sample.jpg", "icon.svg"):
        assert client.get(f"/{name}").status_code == 200
    expected = {"preset": "tiny", "strength": None, "max_bytes": 1_000_000}
    assert client.get("/settings").json() == expected
    for address in ("/docs", "/openapi.json", "/../app.py", "/%2e%2e/app.py"):
        check_error(client.get(address), 404)


def test_an_image_is_accepted_and_its_tiles_are_rendered(client, model):
    pixels = tiny.image(20, 30)
    image = add(client, pixels)
    assert (image["width"], image["height"], image["notes"]) == (30, 20, [])
    whole = to_uint8(model.upscale(to_float(pixels)[None], (74, 111))[0])
    found = pixels_of(
        client.get(f"/images/{image['id']}/tfsr", params=query((111, 74), (60, 30, 40, 20)))
    )
    assert np.abs(found.astype(int) - whole[30:50, 60:100]).max() <= 1
    bicubic = Image.fromarray(pixels).resize((111, 74), Image.Resampling.BICUBIC)
    found = pixels_of(
        client.get(f"/images/{image['id']}/bicubic", params=query((111, 74), (60, 30, 40, 20)))
    )
    assert np.abs(found.astype(int) - np.array(bicubic)[30:50, 60:100]).max() <= 1


def test_the_whole_image_is_what_the_command_line_makes(client, model):
    pixels = np.dstack([tiny.image(12, 16), np.full((12, 16), 99, np.uint8)])
    image = add(client, pixels)
    found = pixels_of(client.get(f"/images/{image['id']}/whole", params={"scale": 2.7}))
    assert found.shape == (32, 43, 4)
    expected = to_uint8(model.upscale(to_float(pixels[..., :3].copy())[None], (32, 43))[0])
    np.testing.assert_array_equal(found[..., :3], expected)
    assert (found[..., 3] == 99).all()


def test_the_faces_of_a_photograph_are_listed_restored_and_saved(restorers, model):
    faces = face_at(50, 60, 40, 0.3), face_at(40, 130, 34)
    pixels = tiny.image(100, 160)
    with running(restorers, Detector(*faces)) as client:
        address = f"/images/{add(client, pixels)['id']}"
        found = client.get(f"{address}/faces").json()
        assert found == {
            "faces": [{**face.record(), "restored": True} for face in faces],
            "parts": 2,
            "whole": False,
            "note": "",
            "reduces": True,
        }
        size = {"width": 400, "height": 250}
        for part in range(2):
            assert client.get(f"{address}/parts/{part}", params=size).status_code == 204
        check_error(client.get(f"{address}/parts/2", params=size), 422, "below 2; received 2")
        photograph = PhotographUpscaler(ModelUpscaler(model), detector=Detector(*faces))
        expected = photograph(pixels, (250, 400))
        tile = client.get(f"{address}/tfsr", params=query((400, 250), (100, 60, 90, 100)))
        difference = pixels_of(tile).astype(int) - expected[60:160, 100:190]
        assert np.abs(difference).max() <= 2
        saved = pixels_of(client.get(f"{address}/whole", params={"scale": 2.5}))
        np.testing.assert_array_equal(saved, expected)


def test_a_detector_that_fails_loses_no_image(client):
    image = add(client, tiny.image(20, 30))
    found = client.get(f"/images/{image['id']}/faces").json()
    assert (found["faces"], found["parts"], found["whole"]) == ([], 1, True)
    assert found["note"].startswith("the face detector failed: out of luck.")
    assert client.get(f"/images/{image['id']}/parts/0?width=8&height=8").status_code == 204


@pytest.mark.slow
def test_every_strength_has_its_own_tiles_and_files(tmp_path):
    _, robust = tiny.twins(tmp_path)
    restorers = Restorers(lambda strength: load_restorer(str(robust), strength))
    detector = Detector(face_at(30, 40, 36))
    pixels = tiny.image(60, 80)
    with running(restorers, detector, strength=1.0) as client:
        assert client.get("/settings").json()["strength"] == 1
        address = f"/images/{add(client, pixels)['id']}"
        for strength in (0.3, 1.0):
            upscaler = load_upscaler(robust, strength=strength)
            rest = load_upscaler("photos", strength=strength)
            photograph = PhotographUpscaler(upscaler, background=rest, detector=detector)
            expected = photograph(pixels, (120, 160))
            params = {**query((160, 120), (50, 30, 60, 60)), "strength": strength}
            difference = pixels_of(client.get(f"{address}/tfsr", params=params)).astype(int)
            difference -= expected[30:90, 50:110]
            assert np.abs(difference).max() <= 2
            params = {"scale": 2, "strength": strength}
            saved = pixels_of(client.get(f"{address}/whole", params=params))
            np.testing.assert_array_equal(saved, expected)
        check_error(client.get(f"{address}/parts/0?width=8&height=8&strength=2"), 422, "strength: ")


def test_several_tabs_at_once_get_their_own_tiles(client, model):
    images = [tiny.image(16, 16, seed) for seed in range(3)]
    ids = [add(client, pixels)["id"] for pixels in images]
    sizes = [(40 + i, 40 + i) for i in range(6)]

    def fetch(job):
        i, size = job
        return client.get(f"/images/{ids[i]}/tfsr", params=query(size, (0, 0, 40, 40)))

    jobs = [(i, size) for size in sizes for i in range(3)]
    with ThreadPoolExecutor(6) as tabs:
        outputs = list(tabs.map(fetch, jobs))
    for (i, (width, height)), output in zip(jobs, outputs, strict=True):
        whole = to_uint8(model.upscale(to_float(images[i])[None], (height, width))[0])
        assert np.abs(pixels_of(output).astype(int) - whole[:40, :40]).max() <= 1


def test_the_least_recently_used_image_is_dropped(client):
    first = add(client, tiny.image(8, 8))["id"]
    tile = query((8, 8), (0, 0, 8, 8))
    pixels_of(client.get(f"/images/{first}/bicubic", params=tile))
    for seed in range(4):
        add(client, tiny.image(8, 8, seed))
    check_error(client.get(f"/images/{first}/bicubic", params=tile), 404, "choose it again")


@pytest.mark.parametrize("name", sorted(odd_files.IMAGES))
def test_odd_images_are_accepted(name, client):
    content, pixels = odd_files.IMAGES[name]
    params = {"name": name.encode(errors="replace").decode()}  # As browsers do.
    output = client.post("/images", params=params, content=content)
    assert output.status_code == 201, output.text
    if pixels is not None:
        assert (output.json()["height"], output.json()["width"]) == pixels.shape[:2]
    tile = query((20, 15), (0, 0, 20, 15))
    found = client.get(f"/images/{output.json()['id']}/tfsr", params=tile)
    assert pixels_of(found).shape == (15, 20, 3)


def test_other_files_are_one_line_with_their_name(client):
    for content in (b"", b"text", odd_files.encoded(tiny.image(30, 30))[:300]):
        output = client.post("/images", params={"name": "my\nface.png"}, content=content)
        check_error(output, 400, "my face.png: ")


def test_images_beyond_the_limits_are_rejected(client):
    large = odd_files.encoded(Image.new("1", (500, 401)))
    output = client.post("/images", params={"name": "large.png"}, content=large)
    check_error(output, 400, "large.png: 500x401 is 0.2005 megapixels; the limit is 0.2")
    check_error(client.post("/images", content=b"x" * 1_000_001), 413, "0.953674 MiB at most")

    unannounced = (b"x" * 2**16 for _ in range(20))
    check_error(client.post("/images", content=unannounced), 413, "at most")
    image = add(client, tiny.image(20, 20))["id"]
    output = client.get(f"/images/{image}/whole", params={"scale": 1000})
    check_error(output, 400, "20000x20000 is 400 megapixels; the limit is 10")


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("tfsr", 422, "width: Field required"),
        ("tfsr?width=8&height=8&left=0&top=0&columns=x&rows=8", 422, "columns: "),
        ("tfsr?width=8&height=8&left=0&top=0&columns=9&rows=8", 400, "inside the 8x8 pixels"),
        ("tfsr?width=8&height=0&left=0&top=0&columns=8&rows=8", 422, "height: "),
        ("tfsr?width=999999999999&height=8&left=0&top=0&columns=8&rows=8", 422, "width: "),
        ("psnr?width=8&height=8&left=0&top=0&columns=8&rows=8", 422, "method: "),
        ("tfsr?width=8&height=8&left=0&top=0&columns=8&rows=8&strength=-1", 422, "strength: "),
        ("parts/1?width=8&height=8", 422, "part must be below 1"),
        ("parts/0?width=8&height=99999999", 422, "height: "),
        ("whole?scale=0", 400, "must be a finite number above 0"),
        ("whole?scale=nan", 400, "must be a finite number above 0"),
        ("whole?scale=1e300", 400, "megapixels"),
    ],
)
def test_invalid_queries_are_one_line(path, code, words, client):
    image = add(client, tiny.image(8, 8))["id"]
    check_error(client.get(f"/images/{image}/{path}"), code, words)


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8138", "127.0.0.1.evil.example", "", "[::1", "10.0.0.7"]
)
def test_other_hosts_are_rejected(host, client):
    check_error(client.get("/", headers={"host": host}), 403, "127.0.0.1 or localhost")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9000", "LOCALHOST"])
def test_own_names_are_served(host, client):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "https://127.0.0.1:8138"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_pages_may_not_upload_images(headers, client):
    content = odd_files.encoded(tiny.image(8, 8))
    check_error(client.post("/images", content=content, headers=headers), 403, "own page")


def test_the_own_page_may(client):
    content = odd_files.encoded(tiny.image(8, 8))
    headers = {"origin": SITE, "sec-fetch-site": "same-origin"}
    assert client.post("/images", content=content, headers=headers).status_code == 201


def test_no_other_page_may_read_what_is_served(client):
    headers = client.get("/settings", headers={"origin": "http://evil.example"}).headers
    assert "access-control-allow-origin" not in headers
    assert headers["cross-origin-resource-policy"] == "same-origin"


def test_a_slow_or_broken_upload_ends(tmp_path):
    """As the server calls it, with a client that stops sending."""

    def upload(*messages):
        async def receive_message():
            if sent:
                return sent.pop(0)
            await asyncio.sleep(60)

        sent = list(messages)
        request = Request({"type": "http", "method": "POST", "headers": []}, receive_message)
        asyncio.run(receive(request, tmp_path / "image", 100, seconds=0.05))

    part = {"type": "http.request", "body": b"part", "more_body": True}
    with pytest.raises(HTTPException, match="nothing was received"):
        upload(part)
    with pytest.raises(HTTPException, match="cut short"):
        upload(part, {"type": "http.disconnect"})
    upload(part, {"type": "http.request", "body": b"!", "more_body": False})
    assert (tmp_path / "image").read_bytes() == b"part!"


def test_the_address_has_a_token(restorers):
    with running(restorers, FailingDetector(), token="secret") as client:
        for path in ("/", "/settings", "/secret", "/secretly/settings", "/other/settings", "/é/"):
            check_error(client.get(path), 403, "whole address")
        assert "<canvas" in client.get("/secret/").text
        assert client.get("/secret/page.js").status_code == 200
        assert client.get("/secret/settings").json()["preset"] == "tiny"
        content = odd_files.encoded(tiny.image(8, 8))
        image = client.post("/secret/images", content=content).json()["id"]
        assert client.get(f"/secret/images/{image}/faces").status_code == 200
