// SPDX-License-Identifier: Apache-2.0
// The build of the pages: one script, one style sheet, hashed names, nothing inline (the server's CSP forbids it).
import { gzipSync } from 'node:zlib';
import { defineConfig } from 'vitest/config';
import type { Plugin } from 'vite';

const server = process.env.GYRE_HOST ?? 'http://127.0.0.1:8090';

/** Screens that are opened now and then, and what only they use: a piece for what one does together. */
const LATER = /src\/(pages\/(model|deployment_(settings|history))|parts\/(check_panel|chips|confirm_recipe|continuous_\w+|deploy_dialog|pick_version|pictures|preview|recipe_controls|try_panel|upload_dialog|use_preview|use_trial|version_(facts|trainable))|lib\/(continuous_form|deploy_check|labels|names|new_model|preview|recipe|trial))\.tsx?$/;
/** A deployment's pages and datasets. */
const LEARN = /src\/(api\/dashboard|pages\/(datasets?|dataset_version|jobs|my_queues|deployment_predictions)|parts\/(review_settings|alerts?_\w+|asset_\w+|chart_panel|dashboard\w*|dataset_\w+|drift_\w+|feedback_\w+|grid|latency_panel|loop_strip|needs_nothing\w*|one_thing_bar|outlier_\w+|predictions_\w+|quality_\w+|send|setting|shadows|stage|threshold|tool_bar|training_data_\w+|use_(feed|latency|paged|standing)|verdict\w*|webhook_\w+|window_grid)|charts\/(?!sparkline)\w+|lib\/(alerts|dataset|drift|feed|feed_loader|jobs|outliers|paged|plot|points|quality|selection|training|whose|windowing))\.tsx?$/;
/** Projects, trainings, what makes and what comes of them. */
const TRAIN = /src\/(api\/training|pages\/(projects?|experiment)|parts\/(experiment_\w+|first_model_\w+|live_training|pre_label_\w+|trainer_\w+|trainings_\w+|training_(curves|facts|log|pictures|row|stages|verdict))|charts\/epochs)\.tsx?$/;
/** The annotator and the two pages around it. */
const TOOL = /src\/(annotator\/|pages\/(review|annotate)\.|parts\/(annotator_|review_(?!settings))|lib\/outbox)/;

function piece(id: string): string {
	if (TRAIN.test(id)) return 'train';
	if (LATER.test(id)) return 'later';
	if (LEARN.test(id)) return 'learn';
	return TOOL.test(id) ? 'tool' : 'main';
}

const KIB = 1024;
/** Of what every page loads before it shows anything, and of all: the pages travel inside the server's binary. */
const FIRST_MAX = 75 * KIB;
const ALL_MAX = 250 * KIB;

/** Growth should be seen. */
function weigh(): Plugin {
	return {
		name: 'weigh',
		writeBundle(_, bundle) {
			let [first, all] = [0, 0];
			for (const file of Object.values(bundle)) {
				const bytes = gzipSync(file.type === 'chunk' ? file.code : file.source, { level: 9 }).length;
				all += bytes;
				if (file.type === 'asset' || file.isEntry) first += bytes;
			}
			if (first > FIRST_MAX) this.warn(`What is loaded first weighs ${first} bytes gzipped, more than ${FIRST_MAX / KIB} KiB.`);
			if (all > ALL_MAX) this.warn(`The pages weigh ${all} bytes gzipped, more than ${ALL_MAX / KIB} KiB.`);
		},
	};
}

export default defineConfig({
	plugins: [weigh()],
	esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
	build: {
		target: 'es2022', assetsInlineLimit: 0, modulePreload: false, cssCodeSplit: false,
		// What is rarely opened comes in one piece: ten pieces would compress worse by 4 KB.
		rollupOptions: { output: { manualChunks: piece } },
		// Slower than esbuild, and 4 % smaller: the pages travel inside the server's binary.
		minify: 'terser', terserOptions: { module: true, compress: { passes: 3, ecma: 2020, pure_getters: true, unsafe_arrows: true, keep_fargs: false } },
	},
	// `npm run dev` speaks to a running gyre, or to the mock, on this address.
	server: { host: '127.0.0.1', proxy: { '/api': server, '/files': server } },
	test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
