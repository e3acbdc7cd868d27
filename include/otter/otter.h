/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otter: firmware updates that cannot brick the device.
 *
 * Reading order: what goes wrong has a code (error), a product chooses its sizes
 * (config) and its map (memory_map); a package is a container with a control packet;
 * a device is its ports, table, flash and journal (device); a package comes in
 * (receive, or from a card: card_door), is planned (plan) and installed (install); boot
 * decides what runs; agent and manager put it together.
 */
#ifndef OTTER_H
#define OTTER_H

#include "otter/error.h"

#include "otter/config.h"

#include "otter/container.h"
#include "otter/control.h"

#include "otter/device.h"
#include "otter/plan.h"
#include "otter/rebuild.h"
#include "otter/receive.h"

#include "otter/card_door.h"

#include "otter/install.h"

#include "otter/boot.h"

#include "otter/agent.h"
#include "otter/manager.h"

#endif
