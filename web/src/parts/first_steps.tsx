// SPDX-License-Identifier: Apache-2.0
// The commands that the empty pages share.
import type { ComponentChildren, JSX } from 'preact';
import { Button, Command } from './basics';

/** The command line finds the server by these. */
export const connectCommand = (): string => `export GYRE_HOST=${location.origin} GYRE_TOKEN=$(cat var/admin-token)`;

export function ConnectStep(): JSX.Element {
	return <li><h3>Tell the command line where this server is</h3><Command>{connectCommand()}</Command></li>;
}

export function PushStep({ children }: { children: ComponentChildren }): JSX.Element {
	return (
		<li>
			<h3>{children}</h3>
			<Command>gyre model push yolox_nano.onnx --name yolox-nano --type detection --labels coco_classes.txt</Command>
		</li>
	);
}

export function UploadStep({ children, onUpload }: { children?: ComponentChildren; onUpload: () => void }): JSX.Element {
	return (
		<li>
			<h3>Upload a model{children}</h3>
			<p class="muted">Drop its .onnx file anywhere on this page; a file with its labels may come along.</p>
			<p><Button kind="primary" icon="upload" onClick={onUpload}>Choose a file</Button></p>
		</li>
	);
}
