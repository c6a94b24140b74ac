// store_work.h - the wishes of the server that are for the store: reads, segments, checkpoints.
//
// Whatever thread a port gives them to runs them here (store.h says which may run side by side).
#pragma once

#include "server.h"
#include "store.h"

// True for a wish that is the store's; false for one that is server_wish_run's or the sensor's.
bool store_work_is_for(const Wish& wish);

// Carries it out and sets its outcome, and what else the wish has room for. What went wrong is
// logged.
void store_work_run(Store& store, Wish& wish);
