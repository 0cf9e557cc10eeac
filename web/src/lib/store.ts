// SPDX-License-Identifier: Apache-2.0
// A value that parts of the page watch.

export class Store<T> {
	private watchers = new Set<() => void>();
	private current: T;

	constructor(initial: T) {
		this.current = initial;
	}

	get(): T {
		return this.current;
	}

	set(value: T): void {
		if (Object.is(value, this.current)) return;
		this.current = value;
		for (const watcher of [...this.watchers]) watcher();
	}

	/** Answers the way to stop. */
	watch(watcher: () => void): () => void {
		this.watchers.add(watcher);
		return () => {
			this.watchers.delete(watcher);
		};
	}
}
