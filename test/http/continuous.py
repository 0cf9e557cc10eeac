# SPDX-License-Identifier: Apache-2.0
"""What tests of the slow loop share: a deployment whose reviews are trained on by a trainer that trains nothing."""

import uuid

import harness
import samples
import trainings


class Line:
    """A deployment of the colour classifier, its Feedback Loop into a version that is attached to train on."""

    def __init__(self, server, folder, images=12, test=0, name=None):
        self.server = server
        self.name = name or f"line-{uuid.uuid4().hex[:8]}"
        self.seed = int(uuid.uuid4().hex[:6], 16)
        file = samples.colour_classifier(folder)
        model = server.push(file, self.name, "CLASSIFICATION", samples.COLOURS, samples.COLOUR_RECIPE)
        self.champion = model
        self.raw = server.deploy(model, self.name, 0.1)
        self.path = f"/api/deployment/{self.raw['id']}"
        self.version = trainings.dataset(server, folder, self.name, images, first=self.seed)
        self.test = trainings.dataset(server, folder, self.name + "-test", test, first=self.seed + 5000) if test else None
        self.project = server.post(f"/api/organization/{server.organization['id']}/projects", {"name": self.name})
        server.post(self.path + "/pipeline/fl/setup", {})
        server.patch(self.path + "/pipeline/fl", {"submit_by_itself": False, "evaluation_share": 0})
        server.post(self.path + "/pipeline/fl/datasets", {"dataset_version_id": self.version["id"]})
        self.pictures = 0

    def set(self, threshold=4, expect=200, attach=True, parameters=None, **more):
        if attach:
            self.attach("train", self.version)
        if attach and self.test:
            self.attach("test", self.test)
        body = {"project_id": self.project["id"], "training_type": "EXPERIMENT",
                "experiment_parameters": parameters or {"epochs": 2},
                "trigger": "FEEDBACK_LOOP", "threshold": threshold}  # fmt: skip
        return self.server.post(self.path + "/pipeline/ct", {**body, **more}, expect=expect)

    def attach(self, name, version, expect=200):
        body = {"name": name, "dataset_version_id": version["id"]}
        return self.server.post(self.path + "/pipeline/ct/datasets", body, expect=expect)

    def deploy_by(self, policy, **more):
        return self.server.post(self.path + "/pipeline/cd", {"policy": policy, **more})

    def switch(self, what, active, expect=200):
        return self.server.call("PUT", f"{self.path}/pipeline/{what}", expect, json={"active": active})

    def training(self):
        return self.server.get(self.path + "/pipeline/ct")

    def deployment(self):
        return self.server.get(self.path)

    def cd(self):
        return self.server.get(self.path + "/pipeline/cd")

    def predicted(self):
        """A picture that was predicted, no other like it."""
        self.pictures += 1
        image = trainings.picture(trainings.COLOURS[self.pictures % 3], self.seed + 10000 + self.pictures)
        return self.server.predict(self.raw, image, filename=f"{self.pictures}.png")["predicted_asset_id"]

    def reviewed(self):
        asset = self.predicted()
        label = trainings.COLOURS[self.pictures % 3]
        self.server.post(f"/api/predicted/asset/{asset}/reviews", {"classifications": [{"label": label}]})
        return asset

    def submit(self, count):
        """So many reviews more, submitted now."""
        assets = [self.reviewed() for _ in range(count)]
        answer = self.server.post(self.path + "/submit", {"ids": assets})
        assert answer["submitted"] == count, answer
        return assets

    def trainings(self):
        """Of this deployment, the newest first."""
        path = f"/api/organization/{self.server.organization['id']}/trainings"
        return self.server.get(path, params={"deployment": self.raw["id"]})["items"]

    def ended(self, epoch, timeout=60):
        """The training of that epoch, once it is there and has ended."""

        def begun():
            return [t for t in self.trainings() if t["epoch"] == epoch]

        first = harness.wait_until(begun, timeout, f"training {epoch}", 0.05)
        return trainings.ended(self.server, first[0], timeout)

    def history(self):
        return self.server.get(self.path + "/history")["items"]
