#ifndef SHIM_LOCAL_H
#define SHIM_LOCAL_H

typedef struct { long a; } local_t;

#endif
