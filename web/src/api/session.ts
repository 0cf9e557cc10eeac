// SPDX-License-Identifier: Apache-2.0
// Who is here: asked once at the start, read wherever a call needs the organization.
import { Store } from '../lib/store';
import type { Session } from './types';

export const session = new Store<Session | null>(null);

export const organization = (): string => session.get()?.organization.id ?? '';
