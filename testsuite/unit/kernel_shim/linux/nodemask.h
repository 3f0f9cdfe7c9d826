/* Memory of two nodes. */
#ifndef SHIM_NODEMASK_H
#define SHIM_NODEMASK_H

#define MAX_NUMNODES 4
#define first_memory_node 0
#define next_memory_node(node) ((node) ? MAX_NUMNODES : 1)

#endif
