/* SPDX-License-Identifier: Apache-2.0 */
/* Training Data of a deployment, as its other handlers touch it. */
#ifndef GYRE_API_TRAINING_DATA_H
#define GYRE_API_TRAINING_DATA_H

#include "api/api.h"

/* The deployment is new, or has another champion: Training Data that nobody chose follows it to the dataset
 * version of its Experiment, and a reference is made for it. What fails is logged, as the deployment
 * stands. */
void training_data_follow(struct api *api, struct uuid deployment_id, const char *who);
/* It has a shadow more: its reference is made, if there is Training Data. Fails as training_data_follow(). */
void training_data_shadow(struct api *api, struct uuid deployment_id, const char *who);

#endif
