/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile "link": overrides of otter/memory_map.h, as a project's own
 * custom_memory_map.h would hold them. The hardware shows the application at 0.
 */
#ifndef PROFILE_LINK_MEMORY_MAP_H
#define PROFILE_LINK_MEMORY_MAP_H

#define OTTER_APPLICATION_EXEC  0u
#define OTTER_APPLICATION_FLAGS OTTER_REGION_WINDOW

#endif
