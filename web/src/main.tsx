// SPDX-License-Identifier: Apache-2.0
import { render } from 'preact';
import { App } from './app';
import { startRouter } from './router';
import './style/tokens.css';
import './style/basics.css';
import './style/shell.css';
import './style/pages.css';
import './style/predictions.css';
import './style/models.css';
import './style/datasets.css';
import './style/learning.css';
import './style/dashboard.css';
import './style/watch.css';
import './style/loop.css';
import './style/training.css';

startRouter();
const root = document.getElementById('app');
if (root) render(<App />, root);
