# SPDX-License-Identifier: Apache-2.0
"""The query language from outside: the SDK's lists of data, models and deployments, look-ups, orders, and what is refused."""

import json
import uuid

import harness
import pytest
import samples
from picsellia import Client, exceptions


@pytest.fixture(scope="module")
def client(server):
    with Client(api_token=server.token, host=server.url) as made:
        yield made


@pytest.fixture(scope="module")
def lake(server, client):
    """A datalake would be shared with other tests, so all names here begin with a word of this run."""
    return client.get_datalake()


@pytest.fixture(scope="module")
def word():
    return f"q{uuid.uuid4().hex[:8]}"


@pytest.fixture(scope="module")
def pictures(lake, client, word, tmp_path_factory):
    """Six pictures; tags, a source and metadata on some of them."""
    folder = tmp_path_factory.mktemp("pictures")
    plan = [
        (["night"], "gate", {"site": "north", "line": 1, "checked": True}),
        (["night", "rain"], "gate", {"site": "south", "line": 2}),
        (["rain"], None, {"site": "north", "nested": {"depth": 1.5}}),
        ([], "yard", None),
        (["o'clock \"5\""], None, {"site": None}),
        ([], None, None),
    ]
    made = []
    for number, (tags, source, metadata) in enumerate(plan):
        path = folder / f"{word}-{number}.jpg"
        path.write_bytes(samples.numbered(2000 + number, 64 + 16 * number, 64))
        made.append(
            lake.upload_data(
                path,
                tags=[f"{word}-{t}" for t in tags],
                source=client.get_or_create_datasource(f"{word}-{source}") if source else None,
                custom_metadata=metadata,
            )
        )
    return made


@pytest.fixture(scope="module")
def numbers(lake, word, pictures):
    """The numbers of the pictures that a list of the SDK has."""

    def listed(q=None, **options):
        mine = f'filename startswith "{word}-"'
        try:
            found = lake.list_data(q=f"({q}) and {mine}" if q else mine, **options)
        except exceptions.NoDataError:
            return []
        return [int(d.filename.split("-")[1].split(".")[0]) for d in found]

    return listed


def test_pictures_by_query(numbers, word):
    t = f"{word}-"
    cases = {
        f'tags.name = "{t}night"': [0, 1],
        f'tags.name = "{t}night" and tags.name = "{t}rain"': [1],
        f'tags.name in ("{t}night", "{t}rain")': [0, 1, 2],
        f'not tags.name in ("{t}night", "{t}rain")': [3, 4, 5],
        f'tags.name != "{t}night"': [2, 3, 4, 5],
        "tags.name = null": [3, 5],
        f'tags.name = "{t}o\'clock \\"5\\""': [4],
        f"tags.name = '{t}o\\'clock \"5\"'": [4],
        f'data_source.name = "{t}gate"': [0, 1],
        f'source.name = "{t}gate" or source.name = null': [0, 1, 2, 4, 5],
        f'(source.name = "{t}gate" or tags.name = "{t}rain") and width > 64': [1, 2],
        f'source.name = "{t}gate" or tags.name = "{t}rain" and width > 90': [0, 1, 2],
        "width >= 96 and width < 1.28e2 AND height = 64": [2, 3],
        'custom_metadata.site = "north"': [0, 2],
        'custom_metadata.site != "north"': [1, 3, 4, 5],
        "custom_metadata.line > 1": [1],
        "custom_metadata.checked = true": [0],
        "custom_metadata.nested.depth <= 1.5": [2],
        'created_at > "2020-01-01" and created_at < 9999-01-01T00:00:00Z': [0, 1, 2, 3, 4, 5],
        "created_at < 2020-01-01": [],
        "filename contains '-3.'": [3],
    }
    assert {q: numbers(q, order_by=["filename"]) for q in cases} == cases


def test_keywords_of_any_case(numbers):
    assert numbers("width = 64 OR NOT (width < 144 Or height = null)", order_by=["-width"]) == [5, 0]


def test_what_the_sdk_makes_of_tags(lake, numbers, word):
    night, rain = (lake.get_data_tag(f"{word}-{name}") for name in ("night", "rain"))
    assert numbers(tags=night, order_by=["name"]) == [0, 1]
    assert numbers(tags=[night, rain], order_by=["name"]) == [0, 1, 2]
    assert numbers(tags=[night, rain], intersect_tags=True) == [1]
    assert numbers("width < 80", tags=[night.name, rain.name]) == [0]


def test_metadata_as_the_sdk_sends_it(numbers):
    assert numbers(custom_metadata={"site": "north"}, order_by=["name"]) == [0, 2]
    assert numbers(custom_metadata={"site": "north", "line": 1}) == [0]
    assert numbers(custom_metadata={"nested": {"depth": 1.5}}) == [2]
    assert numbers(custom_metadata={"site": "north", "line": 2}) == []


def test_orders(numbers):
    assert numbers(order_by=["-width"]) == [5, 4, 3, 2, 1, 0]
    assert numbers(order_by=["height", "-filename"]) == [5, 4, 3, 2, 1, 0]
    assert numbers(order_by=["-source.name", "width"]) == [3, 0, 1, 2, 4, 5]


def test_look_ups_are_queried_too(numbers, pictures, word):
    """XGET: the query in the body beside the list."""
    ids = [d.id for d in pictures[:4]]
    assert numbers(ids=ids, order_by=["name"]) == [0, 1, 2, 3]
    assert numbers(f'tags.name = "{word}-night"', ids=ids[1:]) == [1]
    names = [d.filename for d in pictures]
    assert numbers("width > 100", filenames=names, order_by=["-width"]) == [5, 4, 3]
    assert numbers("width > 1000", object_names=[d.object_name for d in pictures]) == []


def test_pages_of_a_query(server, lake, word, pictures):
    seen = []
    for offset in range(0, 8, 2):
        page = server.get(
            f"/api/datalake/{lake.id}/datas",
            params={"q": f"filename contains '{word}' and width > 70", "order_by": "-width", "limit": 2, "offset": offset},
        )
        assert page["count"] == 5
        seen += [d["filename"] for d in page["items"]]
    assert seen == [f"{word}-{n}.jpg" for n in (5, 4, 3, 2, 1)]


def test_states_that_no_picture_has(server, lake, word, pictures):
    path = f"/api/datalake/{lake.id}/datas"
    q = f"filename startswith '{word}'"
    for params, count in (
        ({"upload_statuses": ["PENDING", "DONE"], "types": ["IMAGE", "VIDEO"]}, 6),
        ({"upload_statuses": "PENDING,COMPUTING,DONE,ERROR"}, 6),
        ({"upload_statuses": "ERROR"}, 0),
        ({"types": "VIDEO"}, 0),
    ):
        assert server.get(path, params={"q": q, **params})["count"] == count, params
    assert server.call("GET", path, params={"types": "SOUND"}).status_code == 400
    body = {"filenames": [d.filename for d in pictures], "upload_statuses": ["ERROR"]}
    assert server.call("XGET", path, json=body).json()["count"] == 0


def test_models_versions_and_deployments(server, client, word, tmp_path):
    version = server.push(samples.colour_classifier(tmp_path), f"{word}-m", "CLASSIFICATION", samples.COLOURS)
    other = server.make_model(f"{word}-empty")
    org = f"/api/organization/{server.organization['id']}"
    model = f"/api/model/{version['origin']['id']}"
    deployment = server.deploy(version, f"{word}-d")

    def names(path, q, **params):
        return [item["name"] for item in server.get(path, params={"q": q, **params})["items"]]

    assert names(f"{org}/models", f'name startswith "{word}" and versions.state = "READY"') == [f"{word}-m"]
    assert names(f"{org}/models", f"name startswith '{word}'", order_by="-name") == [f"{word}-m", other["name"]]
    assert names(f"{model}/versions", 'type = "CLASSIFICATION" and version = 0') == [version["name"]]
    assert names(f"{model}/versions", "version > 0") == []
    assert names(f"{org}/deployments", f'model_version.model.name = "{word}-m" and paused = false') == [deployment["name"]]
    assert names(f"{org}/deployments", f"name = '{word}-d' and paused = true") == []
    tag = server.post(f"{org}/tags", {"name": word, "target_type": "DEPLOYMENT"})
    server.post(f"/api/tag/{tag['id']}/attach", [deployment["id"]])
    assert names(f"{org}/deployments", f'tags.name = "{word}"') == [deployment["name"]]


def test_projects_and_experiments(server, client, word):
    project = client.create_project(f"{word}-p")
    for number in range(3):
        project.create_experiment(f"{word}-{number}")
    org = f"/api/organization/{server.organization['id']}"
    found = server.get(f"{org}/projects", params={"q": f'experiments.name = "{word}-1"'})
    assert [p["name"] for p in found["items"]] == [f"{word}-p"]
    assert server.get(f"{org}/projects", params={"q": f'name = "{word}-p" and experiments.name = null'})["count"] == 0
    path = f"/api/project/{project.id}/experiments"
    found = server.get(path, params={"q": f'status = "WAITING" and name != "{word}-1"', "order_by": "-name"})
    assert [e["name"] for e in found["items"]] == [f"{word}-2", f"{word}-0"]


@pytest.mark.parametrize(
    ("q", "sentence"),
    [
        ("width = )", "At character 9: expected a value after =, found ')'."),
        ("colour = 7", 'At character 1: an image has no "colour", but id, filename'),
        ("width = 'x'", "At character 9: width is a number: compare it with a number."),
        ("width = 1; DROP TABLE data", "At character 10: ';' means nothing here."),
        ("é = 1 and width =", "At character 18: expected a value"),
        ("(" * 500, "nested too deeply"),
        ("a" * 40000, "too long"),
    ],
)
def test_what_is_wrong_is_said(server, lake, q, sentence):
    response = server.call("XGET", f"/api/datalake/{lake.id}/datas", json={"ids": [], "q": q})
    assert response.status_code == 400 and sentence in response.json()["message"], response.text
    if len(q) < 1000:
        assert server.call("GET", f"/api/datalake/{lake.id}/datas", params={"q": q}).text == response.text


def test_what_people_write_is_never_sql(server, lake, word, pictures, numbers):
    """Texts with everything that SQL knows are texts."""
    for text in ("' OR 1=1 --", '"; DROP TABLE data; --', "%", "_", "?", "$1", ":x", "\\", "x' UNION SELECT 1 --"):
        quoted = json.dumps(text, ensure_ascii=False)
        assert numbers(f"filename = {quoted}") == []
        assert numbers(f"filename contains {quoted} and tags.name != {quoted}") == []
        assert numbers(f"custom_metadata.site = {quoted}") == []
        if '"' not in text:
            assert numbers(f"custom_metadata.{quoted} = 1") == []
    assert len(numbers()) == 6


def test_sdk_says_that_a_query_is_wrong(lake):
    with pytest.raises(exceptions.BadRequestError) as refused:
        lake.list_data(q="width > ")
    assert "At character" in str(refused.value)
