// Starts the application.
import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/panels.css';
import './styles/charts.css';
import './styles/call.css';
import { App } from './app';
import { startBeat } from './state/beat';
import { startRouter } from './state/router';
import { applyTheme } from './state/session';

applyTheme();
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', applyTheme);
startRouter();
startBeat();
const root = document.getElementById('app');
if (root) render(<App />, root);
