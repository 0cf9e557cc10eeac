# SPDX-License-Identifier: Apache-2.0
"""Parts of training a detector against NumPy, pycocotools and ONNX Runtime: what is assigned, what the losses are, how good
the boxes are, and heads for other labels."""

import contextlib
import io
import json
import subprocess

import numpy
import onnx
import pytest
import reference
import runs
from onnx import TensorProto, helper, numpy_helper
from runs import DATA, needs_trainer, trainer

ort = pytest.importorskip("onnxruntime")
PARTS = runs.TRAINER.with_name("trainer-parts")
pytestmark = needs_trainer

RECIPE = {
    "task": "detection", "width": 96, "height": 64, "fit": "letterbox", "pad": "center", "pad_value": 114, "colour": "rgb",
    "layout": "nchw", "sample": "float32", "scale": 1 / 255, "mean": [0, 0, 0], "std": [1, 1, 1], "output": "yolo_v8",
    "tensors": [0], "class_count": 3, "probabilities": True, "nms_iou": 0.45,
}  # fmt: skip


def part(name, expect=0, **what):
    run = subprocess.run(
        [PARTS, name], input=json.dumps(what, default=numpy.ndarray.tolist), capture_output=True, text=True, check=False,
        env=runs.ENVIRONMENT, timeout=300,
    )  # fmt: skip
    assert run.returncode == expect, run.stderr
    return json.loads(run.stdout) if expect == 0 else run.stderr


def scene(seed, classes=3, width=96, height=64, each=1):
    """Places, what is said there, and what is true: near the truth in part."""
    rng = numpy.random.default_rng(seed)
    places = reference.grid(width, height, each=each)
    count = int(rng.integers(1, 6))
    size = rng.uniform(4, 45, (count, 2))
    low = rng.uniform(0, 1, (count, 2)) * ([width, height] - size)
    truths, labels = numpy.hstack([low, low + size]), rng.integers(0, classes, count)
    size = rng.uniform(4, 50, (len(places), 2))
    boxes = numpy.hstack([places[:, :2] - size / 2, places[:, :2] + size / 2])
    learnt = rng.random(len(places)) < 0.5
    boxes[learnt] = truths[rng.integers(0, count, learnt.sum())] + rng.normal(0, 3, (learnt.sum(), 4))
    boxes[:, 2:] = numpy.maximum(boxes[:, 2:], boxes[:, :2] + 1)
    scores, objectness = rng.uniform(0.01, 0.99, (len(places), classes)), rng.uniform(0.01, 0.99, len(places))
    rows = numpy.hstack([truths, labels[:, None]])
    # As the trainer has them.
    return [v.astype(numpy.float32).astype(float) for v in (places, boxes, scores, objectness, rows)]


def agree(said, owner, target):
    owner, target = numpy.asarray(owner), numpy.asarray(target)
    assert numpy.mean(numpy.array(said["truth"]) == owner) > 0.99  # ties within rounding may fall to the other side
    same = numpy.array(said["truth"]) == owner
    assert numpy.abs(numpy.array(said["target"]) - target)[same].max() < 2e-4


@pytest.mark.parametrize("seed", range(6))
def test_places_learn_what_the_papers_say(seed):
    places, boxes, scores, objectness, rows = scene(seed)
    truths, labels = rows[:, :4], rows[:, 4].astype(int)
    what = {"places": places, "boxes": boxes, "scores": scores, "objectness": objectness, "truths": rows}
    said = part("assign", kind="aligned", **what)
    owner, target = reference.task_aligned(places, boxes, scores, truths, labels)
    agree(said, owner, target)
    assert max(said["truth"]) >= 0
    for radius in (1.0, 2.5):
        said = part("assign", kind="ota", radius=radius, **what)
        agree(said, *reference.sim_ota(places, boxes, scores, objectness, truths, labels, radius))


def test_complete_iou_and_its_gradient():
    rng = numpy.random.default_rng(5)
    low, size = rng.uniform(0, 50, (40, 2)), rng.uniform(5, 40, (40, 2))
    a = numpy.hstack([low, low + size])
    b = a + rng.normal(0, 4, a.shape)
    said = part("ciou", a=a, b=b)
    plain, apart, unlike, weight = reference.complete_iou(a, b)
    assert numpy.abs(numpy.array(said["value"]) - (plain - apart - weight * unlike)).max() < 1e-5
    step, slopes = 1e-6, numpy.zeros_like(a)
    for i in range(4):
        for sign in (1, -1):
            moved = a.copy()
            moved[:, i] += sign * step
            p, d, u, _ = reference.complete_iou(moved, b)
            slopes[:, i] += sign * (p - d - weight * u) / (2 * step)
    assert numpy.abs(numpy.array(said["gradient"]).reshape(-1, 4) - slopes).max() < 1e-4


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A new detector's file for 96 x 64."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "labels.json").write_text(json.dumps(["disc", "square", "it's"]))
    trainer("create", "--arch", "det-t", "--labels", folder / "labels.json", "--size", "96x64", "--output", folder / "m.onnx")
    return folder / "m.onnx"


def output_of(boxes, scores):
    centre, size = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    return numpy.hstack([centre, size, scores]).T[None]


def test_the_loss_is_the_papers(small):
    places, boxes, scores, _, rows = scene(11)
    truths, labels = rows[:, :4], rows[:, 4].astype(int)
    output = output_of(boxes, scores)
    subject = {"model": str(small), "recipe": RECIPE, "labels": ["a", "b", "c"], "truths": [rows], "sides": output.shape}
    said = part("loss", output=output, **subject)
    owner, target = reference.task_aligned(places, boxes, scores, truths, labels)
    wanted = numpy.zeros_like(scores)
    found = owner >= 0
    wanted[found, labels[owner[found]]] = target[found]
    entropy = -(wanted * numpy.log(scores) + (1 - wanted) * numpy.log(1 - scores)).sum()
    plain, apart, unlike, weight = reference.complete_iou(boxes[found], truths[owner[found]])
    lost = ((1 - (plain - apart - weight * unlike)) * target[found]).sum()
    total = max(target.sum(), 1)
    assert said["class"] == pytest.approx(2 * entropy / total, rel=1e-4)  # it counts double here
    assert said["box"] == pytest.approx(7.5 * lost / total, rel=1e-4)
    assert said["total"] == pytest.approx(said["box"] + said["class"], rel=1e-5)
    slope = 2 * (scores - wanted) / (scores * (1 - scores)) / total
    gradient = numpy.array(said["gradient"]).reshape(output.shape)
    assert numpy.abs(gradient[0, 4:].T - slope).max() < 1e-3 * numpy.abs(slope).max()


def test_average_precision_is_that_of_pycocotools(small):
    coco, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    outputs, truths, guesses, annotations = [], [], [], []
    for n in range(8):
        places, boxes, scores, _, rows = scene(100 + n)
        scores = scores**4
        outputs.append(output_of(boxes, scores)[0])
        truths.append(rows)
        # Read by other code: the best class of a box, NMS by class, clipped to the picture.
        said = outputs[-1].astype(numpy.float32).astype(float)
        label, score = said[4:].argmax(0), said[4:].max(0)
        corners = numpy.vstack([said[:2] - said[2:4] / 2, said[:2] + said[2:4] / 2]).T
        order = numpy.flatnonzero(score >= 0.01)
        for i in order[reference.suppressed(corners[order], score[order], label[order], 0.45)]:
            x0, y0, x1, y1 = corners[i].clip(0, [96, 64, 96, 64])
            if x1 > x0 and y1 > y0:
                guess = {"image_id": n + 1, "category_id": int(label[i]) + 1, "score": score[i]}
                guesses.append({**guess, "bbox": [x0, y0, x1 - x0, y1 - y0]})
        for x0, y0, x1, y1, c in rows.tolist():
            place = {"id": len(annotations) + 1, "image_id": n + 1, "category_id": int(c) + 1, "iscrowd": 0}
            box = [x0, y0, x1 - x0, y1 - y0]
            annotations.append({**place, "bbox": box, "area": box[2] * box[3]})
    output = numpy.array(outputs)
    said = part("judge", model=str(small), recipe=RECIPE, labels=["a", "b", "c"], output=output, sides=output.shape,
                truths=truths)  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO()
        truth.dataset = {"images": [{"id": i + 1} for i in range(8)], "annotations": annotations,
                         "categories": [{"id": i + 1} for i in range(3)]}  # fmt: skip
        truth.createIndex()
        judged = evaluation.COCOeval(truth, truth.loadRes(guesses), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    assert 0.05 < judged.stats[1] < 0.95
    assert said["AP"] == pytest.approx(judged.stats[0], abs=1e-6)
    assert said["AP50"] == pytest.approx(judged.stats[1], abs=1e-6)


# ---- new models ----


def session(path):
    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def both_say(path, tmp_path, batch=2, high=1.0):
    """What ONNX Runtime and the trainer say of the same noise."""
    model = session(path)
    sides = [s if isinstance(s, int) else batch for s in model.get_inputs()[0].shape]
    pixels = (numpy.random.default_rng(3).random(sides) * high).astype(numpy.float32)
    pixels.tofile(tmp_path / "in")
    trainer("run", "--model", path, "--input", tmp_path / "in", "--sides", ",".join(map(str, sides)),
            "--output", tmp_path / "out", "--write", tmp_path / "again.onnx")  # fmt: skip
    assert (tmp_path / "again.onnx").read_bytes() == path.read_bytes()
    wanted = model.run(None, {model.get_inputs()[0].name: pixels})[0]
    return numpy.fromfile(tmp_path / "out", numpy.float32).reshape(wanted.shape), wanted


def close(said, wanted):
    return (numpy.abs(said - wanted) - 1e-5 * numpy.abs(wanted)).max() <= 1e-4


@pytest.mark.parametrize("arch", ["det-t", "det-p", "cls-n"])
def test_a_new_model_is_sound_and_says_what_onnx_runtime_says(tmp_path, arch):
    (tmp_path / "labels.json").write_text(json.dumps(["disc", "square", "it's"]))
    make = ["create", "--arch", arch, "--labels", tmp_path / "labels.json", "--size", "160x128", "--output"]
    trainer(*make, tmp_path / "m.onnx")
    model = onnx.load(tmp_path / "m.onnx")
    onnx.checker.check_model(model, full_check=True)
    properties = {p.key: p.value for p in model.metadata_props}
    assert properties["names"] == "{0: 'disc', 1: 'square', 2: 'it\\'s'}" and properties["imgsz"] == "[128, 160]"
    said, wanted = both_say(tmp_path / "m.onnx", tmp_path)
    assert wanted.shape == ((2, 3) if arch == "cls-n" else (2, 7, 420)) and close(said, wanted)
    trainer(*make, tmp_path / "same.onnx")
    trainer(*make, tmp_path / "other.onnx", "--seed", 2)
    assert (tmp_path / "same.onnx").read_bytes() == (tmp_path / "m.onnx").read_bytes()
    assert (tmp_path / "other.onnx").read_bytes() != (tmp_path / "m.onnx").read_bytes()
    verdict = json.loads(trainer("check", "--model", tmp_path / "m.onnx"))
    assert verdict["trainable"] and verdict["resizable"] and verdict["classes"] == 3
    assert verdict["layout"] == ("logits" if arch == "cls-n" else "v8")


def test_what_cannot_be_created_is_said(tmp_path):
    (tmp_path / "labels.json").write_text('["one"]')
    make = ["create", "--labels", tmp_path / "labels.json", "--output", tmp_path / "m.onnx"]
    assert "no architecture" in trainer(*make, "--arch", "det-x", "--size", "64x64", expect=2)
    assert "multiples of 32" in trainer(*make, "--arch", "det-t", "--size", "100x64", expect=2)
    assert "more labels" in trainer(*make, "--arch", "cls-n", "--size", "64x64", expect=2)
    (tmp_path / "labels.json").write_text("{}")
    assert "no list of names" in trainer(*make, "--arch", "det-t", "--size", "64x64", expect=2)
    assert not (tmp_path / "m.onnx").exists()


# ---- check ----

LAYOUTS = {
    "yolox_nano/yolox_nano": ("yolox", 80, True),
    "layouts/layout_1x84xN": ("v8", 80, True),
    "mnist/opt-mnist": ("logits", 10, True),
    "deeplab_v3/model/deeplab_v3_1_default_1": ("semantic", 20, True),
    "onnx_light/light_resnet50": ("logits", 1000, False),  # the last weights are a constant
}
REFUSED = {
    "layouts/layout_detr_logits_boxes": "layout detr",
    "ultraface/version-RFB-320": "layout boxes_scores",
}


def of_data(name):
    path = DATA / "models" / f"{name}.onnx"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


@pytest.mark.parametrize("name", LAYOUTS)
def test_check_knows_what_can_be_trained(name):
    verdict = json.loads(trainer("check", "--model", of_data(name)))
    assert verdict["trainable"] and verdict["reason"] is None and verdict["trainable_weights"] > 0
    assert (verdict["layout"], verdict["classes"], verdict["resizable"]) == LAYOUTS[name]
    assert verdict["fixed_size"] and "Conv" in verdict["operators"]


@pytest.mark.parametrize("name", REFUSED)
def test_check_says_which_outputs_have_no_loss(name):
    assert REFUSED[name] in trainer("check", "--model", of_data(name), expect=3)


def saved(path, nodes, tensors=(), output=("y", [1, 10]), opset=13):
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 32, 32]),
             helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])]  # fmt: skip
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], [numpy_helper.from_array(t, n) for n, t in tensors])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)]), path)
    return path


def test_check_says_why_not(tmp_path):
    def reason(*arguments, **more):
        path = saved(tmp_path / "m.onnx", *arguments, **more)
        run = subprocess.run(
            [runs.TRAINER, "check", "--model", path], capture_output=True, text=True, check=False, timeout=60,
            env=runs.ENVIRONMENT,
        )  # fmt: skip
        verdict = json.loads(run.stdout)
        assert run.returncode == 3 and not verdict["trainable"] and verdict["reason"] in run.stderr
        return verdict["reason"]

    one = numpy.ones([1], numpy.float32)
    quantised = [helper.make_node("DequantizeLinear", ["x", "s"], ["y"])]
    assert "quantised (DequantizeLinear)" in reason(quantised, [("s", one)])
    ended = [helper.make_node("NonMaxSuppression", ["x", "x"], ["z"]), helper.make_node("Cast", ["z"], ["y"], to=1)]
    assert "without non-maximum suppression" in reason(ended)
    empty = helper.make_graph([], "e", [], [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)])
    branch = [helper.make_node("If", ["c"], ["y"], then_branch=empty, else_branch=empty)]
    assert "without control flow" in reason(branch, [("c", numpy.array([True]))])
    assert "operator NonZero" in reason([helper.make_node("NonZero", ["x"], ["y"])])
    means = [helper.make_node("GlobalAveragePool", ["x"], ["p"]), helper.make_node("Flatten", ["p"], ["y"])]
    assert "no weights that can be trained" in reason(means, output=("y", [1, 3]))
    halves = [helper.make_node("Cast", ["w"], ["v"], to=1), helper.make_node("MatMul", ["x", "v"], ["y"])]
    assert "half floats" in reason(halves, [("w", numpy.ones([32, 10], numpy.float16))], output=("y", [1, 3, 32, 10]))


# ---- other labels ----


def recipe_of(path, tmp_path, **given):
    verdict = json.loads(trainer("check", "--model", path))
    layouts = {"v8": "yolo_v8", "v8-dfl": "yolo_v8", "v5": "yolo_v5", "yolox": "yolox_raw"}
    side = session(path).get_inputs()[0].shape
    shape = {"width": side[3], "height": side[2], "class_count": verdict["classes"]}
    return {**RECIPE, **shape, "output": layouts.get(verdict["layout"]), **given}


def values_before_softmax(model, name):
    """A copy whose output is what goes into the softmax."""
    copy = onnx.load(model)
    (last,) = [n for n in copy.graph.node if name in n.output]
    copy.graph.output.append(helper.make_tensor_value_info(last.input[0], TensorProto.FLOAT, None))
    return copy.SerializeToString(), last.input[0]


def resized(path, tmp_path, labels, more, recipe):
    part("resize", model=str(path), recipe=recipe, base_labels=labels, labels=labels + more, output=str(tmp_path / "more.onnx"))
    onnx.checker.check_model(onnx.load(tmp_path / "more.onnx"), full_check=True)
    return tmp_path / "more.onnx"


def answers(path, high):
    model = session(path)
    taken = next(i for i in model.get_inputs() if len(i.shape) == 4)
    sides = [s if isinstance(s, int) else 1 for s in taken.shape]
    pixels = (numpy.random.default_rng(9).random(sides) * high).astype(numpy.float32)
    return model.run(None, {taken.name: pixels})[0]


@pytest.mark.parametrize("name", ["yolox_nano/yolox_nano", "layouts/layout_1x84xN"])
def test_old_classes_say_the_same_bit_by_bit_beside_new_ones(tmp_path, name):
    path = of_data(name)
    labels = [str(i) for i in range(80)]
    recipe = recipe_of(path, tmp_path, **({"scale": 1} if "yolox" in name else {}))
    more = resized(path, tmp_path, labels, ["new", "newer"], recipe)
    before, after = answers(path, 255), answers(more, 255)
    axis = 1 if "layout" in name else 2
    assert after.shape[axis] == before.shape[axis] + 2
    assert numpy.array_equal(numpy.take(after, range(before.shape[axis]), axis), before)


def test_a_classifier_and_a_segmenter_get_another_label(tmp_path):
    mnist = of_data("mnist/opt-mnist")
    recipe = {**RECIPE, "task": "classification", "output": "classification", "class_count": 10, "width": 28, "height": 28,
              "colour": "grey", "probabilities": False, "background": "none"}  # fmt: skip
    digits = [str(i) for i in range(10)]
    more = resized(mnist, tmp_path, digits, ["ten"], {k: v for k, v in recipe.items() if k != "nms_iou"})
    assert numpy.array_equal(answers(more, 1)[:, :10], answers(mnist, 1))
    deeplab = of_data("deeplab_v3/model/deeplab_v3_1_default_1")
    recipe = {**RECIPE, "task": "segmentation", "output": "semantic", "class_count": 21, "background": "first", "width": 257,
              "height": 257, "layout": "nhwc"}  # fmt: skip
    more = resized(deeplab, tmp_path, [str(i) for i in range(20)], ["new"], {k: v for k, v in recipe.items() if k != "nms_iou"})
    assert numpy.array_equal(answers(more, 1)[..., :21], answers(deeplab, 1))


def yolo(path, kind, classes):
    """The ends of exports as Ultralytics makes them, on a small backbone: batch of one, sizes written into shapes."""
    rng = numpy.random.default_rng(1)
    tensors, nodes, outputs = [], [], []

    def add(op, inputs, output, **attributes):
        nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(name, value, kind=numpy.float32):
        tensors.append((name, numpy.asarray(value, kind)))
        return name

    def conv(x, name, into, out, side=1, stride=1, bias=0.0):
        w = constant(f"{name}.w", rng.normal(0, 0.1, (out, into, side, side)))
        b = constant(f"{name}.b", numpy.full(out, bias))
        return add("Conv", [x, w, b], name, kernel_shape=[side, side], strides=[stride, stride], pads=[side // 2] * 4)

    x, features = "x", []
    for i, width in enumerate([8, 8, 16, 16, 16]):
        x = add("Relu", [conv(x, f"c{i}", 3 if i == 0 else [8, 8, 16, 16][i - 1], width, 3, 2)], f"r{i}")
        features.append((x, width))
    cells = reference.grid(32, 32)
    for level, (x, width) in enumerate(features[2:]):
        if kind == "v5":
            side, rows = 4 >> level, 5 + classes
            anchors = numpy.array([[8, 8], [12, 6], [6, 12]], numpy.float32) * 2**level
            y = conv(x, f"detect{level}", width, 3 * rows, bias=-1.0)
            y = add("Reshape", [y, constant(f"s{level}", [1, 3, rows, side, side], numpy.int64)], f"v{level}")
            y = add("Sigmoid", [add("Transpose", [y], f"t{level}", perm=[0, 1, 3, 4, 2])], f"g{level}")
            parts = [f"xy{level}", f"wh{level}", f"rest{level}"]
            split = constant(f"n{level}", [2, 2, rows - 4], numpy.int64)
            nodes.append(helper.make_node("Split", [y, split], parts, axis=4))
            ys, xs = numpy.meshgrid(range(side), range(side), indexing="ij")
            place = numpy.stack([xs, ys], 2)[None, None] - 0.5
            stride = constant(f"stride{level}", 8 * 2**level)
            xy = add("Add", [add("Mul", [parts[0], constant(f"two{level}", 2)], f"xy2{level}"), constant(f"p{level}", place)],
                     f"xyp{level}")  # fmt: skip
            xy = add("Mul", [xy, stride], f"xys{level}")
            wh = add("Mul", [parts[1], f"two{level}"], f"wh2{level}")
            anchor = constant(f"a{level}", anchors[None, :, None, None])
            wh = add("Mul", [add("Mul", [wh, wh], f"wh4{level}"), anchor], f"wha{level}")
            y = add("Concat", [xy, wh, parts[2]], f"all{level}", axis=4)
            outputs.append(add("Reshape", [y, constant(f"o{level}", [1, -1, rows], numpy.int64)], f"out{level}"))
        else:
            both = [conv(x, f"box{level}", width, 64), conv(x, f"cls{level}", width, classes, bias=-3.0)]
            y = add("Concat", both, f"cat{level}", axis=1)
            outputs.append(add("Reshape", [y, constant(f"s{level}", [1, 64 + classes, -1], numpy.int64)], f"out{level}"))
    if kind == "v5":
        nodes.append(helper.make_node("Concat", outputs, ["y"], axis=1))
        return saved(path, nodes, tensors, ("y", [1, 3 * len(cells), 5 + classes]))
    add("Concat", outputs, "joined", axis=2)
    nodes.append(helper.make_node("Split", ["joined", constant("parts", [64, classes], numpy.int64)], ["raw", "logits"], axis=1))
    add("Reshape", ["raw", constant("bins", [1, 4, 16, len(cells)], numpy.int64)], "spread")
    add("Softmax", [add("Transpose", ["spread"], "turned", perm=[0, 2, 1, 3])], "share", axis=1)
    add("Conv", ["share", constant("numbers", numpy.arange(16).reshape(1, 16, 1, 1))], "mean")
    add("Reshape", ["mean", constant("four", [1, 4, len(cells)], numpy.int64)], "distances")
    nodes.append(helper.make_node("Split", ["distances", constant("halves", [2, 2], numpy.int64)], ["before", "after"], axis=1))
    centre, stride = constant("centre", (cells[:, :2] / cells[:, 2:]).T[None]), constant("stride", cells[:, 2:].T[None])
    low, high = add("Sub", [centre, "before"], "low"), add("Add", [centre, "after"], "high")
    middle = add("Div", [add("Add", [low, high], "twice"), constant("two", 2)], "middle")
    boxes = add("Mul", [add("Concat", [middle, add("Sub", [high, low], "size")], "both", axis=1), stride], "boxes")
    add("Concat", [boxes, add("Sigmoid", ["logits"], "scores")], "y", axis=1)
    return saved(path, nodes, tensors, ("y", [1, 4 + classes, len(cells)]))


@pytest.mark.parametrize("classes", [1, 2, 4, 16])
@pytest.mark.parametrize("kind", ["v5", "v8-dfl"])
def test_exports_of_yolo_are_known_and_get_other_labels(tmp_path, kind, classes):
    path = yolo(tmp_path / "yolo.onnx", kind, classes)
    verdict = json.loads(trainer("check", "--model", path, "--labels", classes))
    assert (verdict["layout"], verdict["classes"], verdict["resizable"]) == (kind, classes, True), verdict
    labels = [f"label {i}" for i in range(classes)]
    recipe = {**RECIPE, "width": 32, "height": 32, "class_count": classes, "output": "yolo_v8" if kind == "v8-dfl" else "yolo_v5"}
    more = resized(path, tmp_path, labels, ["new"], recipe)
    before, after = answers(path, 1), answers(more, 1)
    axis = 2 if kind == "v5" else 1
    assert after.shape[axis] == before.shape[axis] + 1
    # Products of another width may be summed in another order.
    assert numpy.allclose(numpy.take(after, range(before.shape[axis]), axis), before, rtol=1e-6, atol=1e-5)
    assert "is not among the new ones" in part(
        "resize", expect=3, model=str(path), recipe=recipe, base_labels=labels, labels=["other", "new"][: max(classes, 1)],
        output=str(tmp_path / "none.onnx"),
    )  # fmt: skip
