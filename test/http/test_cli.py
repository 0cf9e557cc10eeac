# SPDX-License-Identifier: Apache-2.0
"""The command line that scripts rely on: what it takes, what it prints, how it ends."""

import json
import os
import re
import stat
import uuid

import harness
import pytest
import samples


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"{name}\n" for name in samples.COLOURS))
    return path


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(samples.COLOUR_RECIPE))
    return path


@pytest.fixture
def image(tmp_path):
    path = tmp_path / "red.jpg"
    path.write_bytes(samples.photo("red"))
    return path


@pytest.fixture
def deployed(cli, models_folder, labels, recipe):
    """A model pushed and deployed by commands alone; its deployment's name."""
    name = f"cli-{uuid.uuid4().hex[:8]}"
    model = samples.colour_classifier(models_folder)
    cli("model", "push", model, "--name", name, "--type", "classification", "--labels", labels, "--recipe", recipe)
    cli("deploy", name, "--name", name, "--threshold", "0.2")
    return name


def test_serve_prints_one_line_with_the_address(server):
    first = server.stdout().split("\n")[0]
    assert re.search(r"http://127\.0\.0\.1:\d+", first)
    assert "/login?code=" in server.stdout()


def test_the_admin_token_is_for_its_owner_only(server):
    path = server.data / "admin-token"
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert len(path.read_text().strip()) >= 32


def test_push_deploy_predict_list(cli, deployed, image):
    lines = harness.json_lines(cli("predict", deployed, image, "--json").stdout)
    assert len(lines) == 1
    assert lines[0]["shapes"][0]["label"] == "red"
    assert lines[0]["threshold"] == pytest.approx(0.2)
    listed = harness.json_lines(cli("deployment", "list", "--json").stdout)
    mine = next(d for d in listed if d["name"] == deployed)
    assert mine["status"] == "SERVING" and mine["min_threshold"] == pytest.approx(0.2)
    assert deployed in cli("deployment", "list").stdout


def test_predict_many_prints_an_object_a_line(cli, deployed, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(6):
        (folder / f"{number}.jpg").write_bytes(samples.numbered(number))
    lines = harness.json_lines(cli("predict", deployed, folder, "--json").stdout)
    assert sorted(line["image"]["filename"] for line in lines) == [f"{n}.jpg" for n in range(6)]
    files = [folder / "1.jpg", folder / "4.jpg"]
    assert len(harness.json_lines(cli("predict", deployed, *files, "--json").stdout)) == 2


def test_push_again_is_the_next_version(cli, server, deployed, models_folder, labels, recipe):
    second = samples.colour_classifier(models_folder, 3.0, "second.onnx")
    cli("model", "push", second, "--name", deployed, "--type", "classification", "--labels", labels, "--recipe", recipe)
    model = server.get(f"/api/organization/{server.organization['id']}/models/find", params={"name": deployed})
    versions = server.get(f"/api/model/{model['id']}/versions")["items"]
    assert sorted(v["version"] for v in versions) == [0, 1]
    cli("deploy", f"{deployed}:0", "--name", f"{deployed}-zero", "--threshold", "0.1")
    cli("deploy", f"{deployed}:1", "--name", f"{deployed}-one", "--threshold", "0.1")
    by_name = {d["name"]: d for d in server.get(f"/api/organization/{server.organization['id']}/deployments")["items"]}
    assert by_name[f"{deployed}-zero"]["champion"]["version"] == 0
    assert by_name[f"{deployed}-one"]["champion"]["version"] == 1


def test_deploy_without_a_name_makes_one_up(cli, server, deployed):
    before = {d["name"] for d in server.get(f"/api/organization/{server.organization['id']}/deployments")["items"]}
    out = cli("deploy", deployed).stdout
    after = {d["name"] for d in server.get(f"/api/organization/{server.organization['id']}/deployments")["items"]}
    (name,) = after - before
    assert len(name.split("-")) == 2 and name in out


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["predict", "no-such-deployment", "IMAGE"], "no-such-deployment"),
        (["deploy", "no-such-model"], "no-such-model"),
        (["model", "push", "no-such-file.onnx", "--name", "x", "--type", "detection"], "no-such-file.onnx"),
        (["model", "push", "IMAGE", "--name", "x", "--type", "detection"], "ONNX"),
        (["model", "push", "IMAGE", "--name", "x", "--type", "poetry"], "poetry"),
        (["no-such-verb"], "no-such-verb"),
        (["predict"], "predict"),
    ],
)
def test_what_cannot_be_done_is_said_on_standard_error(cli, image, arguments, words):
    done = cli(*[image if a == "IMAGE" else a for a in arguments], expect=None)
    assert done.returncode not in (0, None) and done.returncode > 0
    assert words.lower() in done.stderr.lower()
    assert done.stdout == ""


def test_one_bad_image_does_not_hide_the_others(cli, deployed, image, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_bytes(b"not an image")
    done = cli("predict", deployed, bad, image, "--json", expect=None)
    assert done.returncode != 0
    answers = [line for line in harness.json_lines(done.stdout) if "shapes" in line]
    assert len(answers) == 1 and answers[0]["shapes"][0]["label"] == "red"
    assert "bad.jpg" in done.stderr + done.stdout


def test_host_and_token_flags(server, deployed, image):
    done = harness.command("predict", deployed, image, "--json", "--host", server.url, "--token", server.token)
    assert harness.json_lines(done.stdout)[0]["shapes"]
    wrong = harness.command("deployment", "list", "--host", server.url, "--token", "wrong", expect=None)
    assert wrong.returncode > 0 and "token" in wrong.stderr.lower()


def test_a_server_that_is_not_there(image):
    done = harness.command("deployment", "list", "--host", "http://127.0.0.1:9", "--token", "x", expect=None)
    assert done.returncode > 0 and "127.0.0.1:9" in done.stderr


def test_help_and_version():
    assert "serve" in harness.command("help").stdout
    assert "serve" in harness.command("--help").stdout
    assert re.search(r"\d+\.\d+\.\d+", harness.command("--version").stdout)


def test_config_names_the_source_of_each_setting(tmp_path):
    out = harness.command("config", "--listen", "127.0.0.1:1234", env={"GYRE_DATA": str(tmp_path)}).stdout
    by_name = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "127.0.0.1:1234" in by_name["listen"] and "flag" in by_name["listen"]
    assert str(tmp_path) in by_name["data"] and "environment" in by_name["data"]
    assert sum("default" in line for line in out.splitlines()) > 3


def test_serve_refuses_what_it_cannot_use(tmp_path):
    taken = harness.command("serve", "--data", tmp_path / "d", "--listen", "nonsense", expect=None)
    assert taken.returncode > 0 and "nonsense" in taken.stderr
    unknown = harness.command("serve", "--data", tmp_path / "d", "--no-such-flag", "1", expect=None)
    assert unknown.returncode > 0 and "no-such-flag" in unknown.stderr


def test_two_servers_do_not_share_a_data_folder(server):
    done = harness.command("serve", "--data", server.data, "--listen", "127.0.0.1:0", expect=None)
    assert done.returncode > 0 and str(server.data) in done.stderr
