# SPDX-License-Identifier: Apache-2.0
"""Labels that name the background class first, as lists of segmentation models do."""

VOC = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
    "pottedplant sheep sofa train tvmonitor"
).split()


def test_a_background_label_is_left_out(server, data):
    model = next((data / "models/deeplab_v3/model").glob("*.onnx"))
    version = server.push(model, "deeplab", "SEGMENTATION", VOC)
    assert version["state"] == "READY", version["state_text"]
    assert version["recipe"]["background"] == "first"
    assert version["labels"] == {str(n): name for n, name in enumerate(VOC[1:])}
    assert "background" in version["state_text"]
    deployment = server.deploy(version, "masks", 0.3)
    photo = (data / "det_voc50/images/2007_000042.jpg").read_bytes()
    shapes = server.predict(deployment, photo)["shapes"]
    assert "train" in {shape["label"] for shape in shapes}, shapes
    assert all(len(shape["polygon"]) >= 3 for shape in shapes)
