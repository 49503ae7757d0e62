export { StoreServerError } from './errors.js';
