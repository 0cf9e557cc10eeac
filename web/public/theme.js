// SPDX-License-Identifier: Apache-2.0
// Before the first paint, so that a dark page never flashes white: the theme this browser chose, if it chose one.
try {
	const theme = localStorage.getItem('gyre-theme');
	if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
	// Storage may be forbidden; the system's preference holds then.
}
