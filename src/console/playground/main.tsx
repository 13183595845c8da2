import 'graphiql/setup-workers/vite';
import 'graphiql/style.css';
import './playground.css';
import './narrow-screen.css';
import { createRoot } from 'react-dom/client';
import { App } from './app';

const root = document.getElementById('root');
if (root === null) throw new Error('The page has no #root element');
createRoot(root).render(<App />);
