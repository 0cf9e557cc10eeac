// SPDX-License-Identifier: Apache-2.0
// A deployment's Training Data, read anew while it is made and when the server tells of it.
import { useEffect } from 'preact/hooks';
import { told, watch, type TrainingData } from '../api/watch';
import { trainingState } from '../lib/training_data';
import { useLoad, useStore, type Loaded } from './hooks';

const MAKING_MS = 1500;
const WAITING_MS = 5000;

export function useTraining(deployment: string): Loaded<TrainingData> {
	const training = useLoad(`training data ${deployment}`, (signal) => watch.trainingData(deployment, signal));
	const { data, reload } = training;
	const changed = useStore(told.training);
	useEffect(() => {
		if (changed > 0) reload();
	}, [changed]);
	const state = data && trainingState(data);
	useEffect(() => {
		if (state !== 'making' && state !== 'waiting') return undefined;
		const timer = setTimeout(reload, state === 'making' ? MAKING_MS : WAITING_MS);
		return () => clearTimeout(timer);
	}, [data, state]);
	return training;
}
