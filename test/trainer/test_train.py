# SPDX-License-Identifier: Apache-2.0
"""gyre-train train: what a run gives back, and how it ends when it cannot."""

import json
import re
import signal
import subprocess
import time

import numpy
import onnx
import pytest
import runs
from PIL import Image
from runs import DATA, SHAPES, Run, classified, needs_trainer, slow, trainer

ort = pytest.importorskip("onnxruntime")
pytestmark = needs_trainer


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def labels_of(path):
    return {p.key: p.value for p in onnx.load(path).metadata_props}["names"]


def judged():
    """Pictures that fit the network as they are: nobody resizes them."""
    return classified(45, seed=2, side=32)


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A small classifier that has learnt something, and its run's events."""
    run = Run(tmp_path_factory.mktemp("first"), "CLASSIFICATION", SHAPES, classified(120), judged(),
              arch="cls-n", input_size=[32, 32], hyper={"epochs": 6})  # fmt: skip
    return run, run.train()


def again(first, folder, seed=3, **job):
    """Goes on from the first one's model, on darker pictures."""
    run, _ = first
    dark = {n: (Image.eval(p, lambda v: v // 2), a) for n, (p, a) in classified(60, seed=seed).items()}
    val = {n: (Image.eval(p, lambda v: v // 2), a) for n, (p, a) in classified(45, seed=seed + 1).items()}
    job = {"hyper": {"epochs": 3}, **job}
    return Run(folder, "CLASSIFICATION", job.pop("labels", SHAPES), dark, val, base=run.as_base(), **job)


def test_it_says_which_version_it_is():
    assert re.fullmatch(r"gyre-train \d+\.\d+\.\d+\n", trainer("--version"))


def test_a_first_model_learns_from_pictures_alone(first):
    run, events = first
    start, done = events.one("start"), events.one("done")
    assert (start["train_images"], start["val_images"], start["input"]) == (120, 45, [32, 32])
    assert start["metric"] == "accuracy" and start["metric_start"] is None
    assert start["trainable"] == start["weights"] > 100_000
    epochs = events.of("epoch")
    assert [e["epoch"] for e in epochs] == [1, 2, 3, 4, 5, 6] and epochs[-1]["left_s"] == 0
    assert epochs[-1]["loss"] < epochs[0]["loss"]
    assert max(e["metrics"]["accuracy"] for e in epochs) == done["metrics"]["accuracy"] > 0.6
    assert [e["epoch"] for e in epochs if e["best"]][-1] == done["best_epoch"]
    assert done["stopped"] == "epochs"
    report = run.report
    assert report["history"] == epochs and report["labels"] == SHAPES and report["epochs_run"] == 6
    assert report["metrics"] == done["metrics"] and report["schema"] == 1
    assert labels_of(run.model) == "{0: 'disc', 1: 'square', 2: 'cross'}"
    assert not list((run.folder / "state").iterdir())  # what was kept for going on is not needed any more


def test_onnx_runtime_agrees_on_the_trained_model_and_on_its_accuracy(first, tmp_path):
    run, events = first
    recipe, model = run.recipe, session(run.model)
    right, said, wanted = 0, [], []
    for _, (picture, annotations) in judged().items():
        pixels = numpy.asarray(picture, numpy.float32)
        pixels = (pixels * recipe["scale"] - numpy.array(recipe["mean"])) / numpy.array(recipe["std"])
        if recipe["colour"] == "bgr":
            pixels = pixels[:, :, ::-1]
        x = pixels.transpose(2, 0, 1)[None].astype(numpy.float32)
        y = model.run(None, {model.get_inputs()[0].name: x})[0]
        right += SHAPES[int(y.argmax())] == annotations[0]["label"]
        if len(said) < 3:
            x.tofile(tmp_path / "in")
            trainer("run", "--model", run.model, "--input", tmp_path / "in", "--sides", "1,3,32,32", "--output", tmp_path / "out")
            said.append(numpy.fromfile(tmp_path / "out", numpy.float32))
            wanted.append(y.ravel())
    said, wanted = numpy.array(said), numpy.array(wanted)
    assert (numpy.abs(said - wanted) - 1e-5 * numpy.abs(wanted)).max() <= 1e-4
    # A picture between two classes may fall to the other side.
    assert abs(right / 45 - events.one("done")["metrics"]["accuracy"]) <= 1.01 / 45


def test_a_model_goes_on_learning_and_is_better_for_it(first, tmp_path):
    events = again(first, tmp_path, hyper={"epochs": 5}).train()
    done = events.one("done")
    assert events.one("start")["metric_start"] == done["metric_start"]
    assert done["metrics"]["accuracy"] > done["metric_start"] + 0.1 and done["best_epoch"] > 0


def test_a_run_that_only_makes_it_worse_gives_the_start_model_back(first, tmp_path):
    run = again(first, tmp_path, hyper={"epochs": 2, "learning_rate": 3.0})
    done = run.train().one("done")
    assert done["best_epoch"] == 0 and done["metrics"]["accuracy"] == done["metric_start"]
    assert run.model.read_bytes() == first[0].model.read_bytes()
    session(run.model)


def test_a_frozen_backbone_stays_as_it_is(first, tmp_path):
    run = again(first, tmp_path, hyper={"epochs": 1, "freeze": True, "learning_rate": 0.01})
    start = run.train().one("start")
    assert 0 < start["trainable"] < start["weights"]
    before, after = (
        {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(p).graph.initializer} for p in (first[0].model, run.model)
    )
    changed = [name for name in before if not numpy.array_equal(before[name], after[name])]
    assert len(changed) < len(before) / 2


def wait_for(process, kind, lines):
    for line in process.stdout:
        lines.append(line)
        if f'"event":"{kind}"' in line:
            return json.loads(line)
    raise AssertionError("it ended: " + "".join(lines))


def stopped_after(run, kind):
    """Runs it until an event of that kind, then SIGTERM."""
    process = subprocess.Popen(
        run.command, env=runs.ENVIRONMENT, cwd=run.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    lines = []
    wait_for(process, kind, lines)
    process.send_signal(signal.SIGTERM)
    lines.extend(process.stdout)
    process.wait(60)
    return process.returncode, runs.Events("".join(lines))


@pytest.mark.parametrize("kind", ["start", "step", "epoch"])
def test_a_stopped_run_that_goes_on_ends_in_the_same_bytes(first, tmp_path, kind):
    hyper = {"epochs": 4, "batch": 4}
    whole = again(first, tmp_path / "whole", hyper=hyper)
    whole.train()
    run = again(first, tmp_path / "stopped", hyper=hyper)
    code, events = stopped_after(run, kind)
    assert code == 143 and events.of("checkpoint") and events.one("error")["code"] == 143
    assert not run.model.exists()
    goes_on = run.train(GYRE_RESUME="1")
    assert not goes_on.of("warning")
    assert run.model.read_bytes() == whole.model.read_bytes()
    ours, theirs = run.report, whole.report
    for history in (ours["history"], theirs["history"]):
        for epoch in history:
            for clock in ("seconds", "rss_mb", "left_s"):
                del epoch[clock]
    assert ours["history"] == theirs["history"] and ours["metrics"] == theirs["metrics"]


def test_a_checkpoint_of_another_job_or_a_damaged_one_is_not_gone_on_from(first, tmp_path):
    run = again(first, tmp_path, hyper={"epochs": 3})
    stopped_after(run, "start")
    (checkpoint,) = (run.folder / "state").iterdir()
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[:-100] + bytes(100))
    run.job["hyper"]["epochs"] = 1
    run.write()
    assert "damaged" in run.train().of("warning")[0]["message"]
    (run.folder / "state" / "checkpoint").write_bytes(whole)
    assert "another job" in run.train().of("warning")[0]["message"]


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(first, tmp_path):
    made = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        run = again(first, tmp_path / name, hyper={"epochs": 1, "seed": seed, "learning_rate": 0.002})
        run.train()
        made.append(run)
    assert made[0].report["history"][0]["loss"] == made[1].report["history"][0]["loss"] != made[2].report["history"][0]["loss"]
    assert made[0].model.read_bytes() == made[1].model.read_bytes()


def test_time_and_patience_end_a_run_early_with_the_best_so_far(first, tmp_path):
    run = again(first, tmp_path / "late", hyper={"epochs": 10000}, time_limit_s=2)
    began = time.monotonic()
    done = run.train().one("done")
    assert done["stopped"] == "time" and time.monotonic() - began < 60 and run.model.exists()
    run = again(first, tmp_path / "patient", hyper={"epochs": 50, "patience": 2, "learning_rate": 3.0})
    done = run.train().one("done")
    assert done["stopped"] == "patience" and run.report["epochs_run"] == 2


def test_the_environment_overrides_the_job(first, tmp_path):
    run = again(first, tmp_path, hyper={"epochs": 5})
    events = run.train(GYRE_EPOCHS="1", GYRE_BATCH="5", GYRE_LR="0.0001")
    assert events.one("start")["epochs"] == 1 and events.one("start")["batch"] == 5
    assert "GYRE_EPOCHS" in run.train(expect=2, GYRE_EPOCHS="many").one("error")["message"]


def test_without_a_validation_set_a_fifth_is_split_off_class_by_class(tmp_path):
    run = Run(tmp_path, "CLASSIFICATION", SHAPES, classified(60), arch="cls-n", input_size=[32, 32], hyper={"epochs": 1})
    start = run.train().one("start")
    assert (start["train_images"], start["val_images"]) == (48, 12)


# ---- what cannot be done is said ----


def small(folder, **change):
    run = Run(folder, "CLASSIFICATION", SHAPES, classified(12), classified(6, seed=2), arch="cls-n", input_size=[32, 32],
              hyper={"epochs": 1})  # fmt: skip
    run.job.update(change)
    run.write()
    return run


@pytest.mark.parametrize(
    "change, message",
    [
        ({"task": "POETRY"}, "POETRY"),
        ({"arch": "gpt"}, "gpt"),
        ({"device": "cuda:0"}, "cuda:0"),
        ({"input_size": [0, 5]}, "input_size"),
    ],
)
def test_a_bad_job_is_refused_with_a_sentence(tmp_path, change, message):  # more of them: test/unit/test_job.c
    error = small(tmp_path, **change).train(expect=2).one("error")
    assert error["code"] == 2 and message in error["message"]


def test_no_job_at_all(tmp_path):
    assert "usage" in trainer("train", expect=2)
    trainer("train", "--job", tmp_path / "none.json", expect=2, folder=tmp_path)
    (tmp_path / "job.json").write_text("{")
    trainer("train", "--job", "job.json", expect=2, folder=tmp_path)


def test_pictures_that_cannot_be_read_are_left_out_up_to_a_tenth(tmp_path):
    run = Run(tmp_path, "CLASSIFICATION", SHAPES, classified(24), classified(6, seed=2), arch="cls-n", input_size=[32, 32],
              hyper={"epochs": 1})  # fmt: skip
    images = run.folder / "input" / "train" / "images"
    (images / "0003.png").write_bytes(b"no picture")
    (images / "0004.png").unlink()
    events = run.train()
    assert events.one("start")["train_images"] == 22
    assert {"0003.png", "0004.png"} == {w["message"].split(" ")[0].rsplit("/")[-1] for w in events.of("warning")}
    (images / "0005.png").write_bytes(b"no picture either")
    error = run.train(expect=4).one("error")
    assert "3 of the 24" in error["message"]


def test_a_set_without_use_is_refused(tmp_path):
    empty = {"0.png": (runs.ground(numpy.random.default_rng(1), 32), [])}
    run = Run(tmp_path / "a", "CLASSIFICATION", SHAPES, empty, arch="cls-n", input_size=[32, 32])
    assert "no picture that can be used" in run.train(expect=4).one("error")["message"]
    run = Run(tmp_path / "b", "CLASSIFICATION", SHAPES, classified(1), arch="cls-n", input_size=[32, 32])
    assert "one picture only" in run.train(expect=4).one("error")["message"]
    run = small(tmp_path / "c")
    (run.folder / "input" / "train" / "annotations.json").write_text("[]")
    run.train(expect=4)


def test_annotations_of_other_labels_are_left_out_with_a_warning(tmp_path):
    run = small(tmp_path, labels=["disc", "square"])
    events = run.train()
    assert any('"cross"' in w["message"] for w in events.of("warning"))
    said = small(tmp_path / "more", labels=[*SHAPES, "star"]).train().of("warning")
    assert any("No picture to train on shows star" in w["message"] for w in said)
    assert events.one("start")["train_images"] == 8


def test_a_model_without_weights_is_not_trainable(tmp_path):
    import samples

    model = samples.colour_classifier(tmp_path)
    recipe = {**samples.COLOUR_RECIPE, "output": "classification", "class_count": 3}
    base = {"file": str(model), "labels": SHAPES, "recipe": recipe}
    error = small(tmp_path / "run", arch=None, base=base, input_size=None).train(expect=3).one("error")
    assert "no weights" in error["message"]


def test_a_loss_that_is_no_number_ends_the_run(first, tmp_path):
    run = again(first, tmp_path, hyper={"epochs": 40, "optimizer": "sgd", "learning_rate": 1e6, "batch": 2})
    error = run.train(expect=5).one("error")
    assert "lower learning rate" in error["message"]


def test_a_result_that_cannot_be_written_is_a_failure(first, tmp_path):
    run = again(first, tmp_path, hyper={"epochs": 1})
    (run.folder / "output" / "model.onnx" / "in the way").mkdir(parents=True)
    assert run.train(expect=1).one("error")["code"] == 1


# ---- real pictures ----


def split_by_number(folder):
    """Ten pictures a person in sequence: the last quarter of each class is other people."""
    if not folder.exists():
        pytest.skip(f"{folder} is not there")
    train, val = {}, {}
    for digit in range(10):
        files = sorted((folder / str(digit)).iterdir())
        for i, path in enumerate(files):
            part = val if i >= len(files) * 0.75 else train
            part[f"{digit}/{path.name}"] = (path, [{"label": str(digit)}])
    return train, val


DIGITS = [str(d) for d in range(10)]


@slow
@pytest.mark.timeout(900)
def test_hand_signs_are_learnt_from_nothing_and_then_better(tmp_path):
    train, val = split_by_number(DATA / "cls_sign_digits" / "Dataset")
    some = dict(list(train.items())[::5])
    scratch = Run(tmp_path / "scratch", "CLASSIFICATION", DIGITS, some, val, arch="cls-n", input_size=[64, 64],
                  hyper={"epochs": 30})  # fmt: skip
    begun = scratch.train().one("done")["metrics"]["accuracy"]
    more = Run(tmp_path / "more", "CLASSIFICATION", DIGITS, train, val, base=scratch.as_base(), hyper={"epochs": 15})
    events = more.train()
    done = events.one("done")
    print("hand signs:", begun, [e["metrics"]["accuracy"] for e in events.of("epoch")])
    assert done["metric_start"] == begun
    assert done["metrics"]["accuracy"] > max(begun + 0.02, 0.9)


@slow
@pytest.mark.timeout(900)
def test_a_classifier_of_written_digits_learns_hand_signs(tmp_path):
    train, val = split_by_number(DATA / "cls_sign_digits" / "Dataset")
    model = DATA / "models" / "mnist" / "opt-mnist.onnx"
    recipe = {
        "task": "classification", "width": 28, "height": 28, "fit": "stretch", "colour": "grey", "layout": "nchw",
        "sample": "float32", "scale": 1, "mean": 0, "std": 1, "output": "classification", "class_count": 10,
    }  # fmt: skip
    base = {"file": str(model), "labels": DIGITS, "recipe": recipe}
    run = Run(tmp_path, "CLASSIFICATION", DIGITS, train, val, base=base, hyper={"epochs": 20, "learning_rate": 0.002})
    done = run.train().one("done")
    assert done["metrics"]["accuracy"] > done["metric_start"] + 0.3
    x = numpy.random.default_rng(1).uniform(0, 255, (1, 1, 28, 28)).astype(numpy.float32)
    x.tofile(tmp_path / "in")
    trainer("run", "--model", run.model, "--input", tmp_path / "in", "--sides", "1,1,28,28", "--output", tmp_path / "out")
    said, wanted = numpy.fromfile(tmp_path / "out", numpy.float32), session(run.model).run(None, {"Input3": x})[0].ravel()
    assert (numpy.abs(said - wanted) - 1e-5 * numpy.abs(wanted)).max() <= 1e-4
