// SPDX-License-Identifier: Apache-2.0
// The chosen theme before the first paint; where storage is forbidden, the system's.
try {
	const theme = localStorage.getItem('gyre-theme');
	if (theme) document.documentElement.dataset.theme = theme;
} catch {}
