/* Stand-ins for libcuda.so.1 (CUDA) and libnvidia-ml.so.1 (NVML); tests choose what they say. */
#include <stdio.h>
#include <string.h>

#ifdef CUDA

int cuInit(unsigned flags) {
  (void)flags;
#ifdef CRASH
  *(volatile int *)0 = 1;
#endif
  return INIT;
}
int cuGetErrorName(int error, const char **name) {
  *name = error == 803 ? "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" : "CUDA_ERROR_NO_DEVICE";
  return 0;
}
int cuDriverGetVersion(int *version) { return *version = 12040, 0; }
int cuDeviceGetCount(int *count) { return *count = 2, 0; }
int cuDeviceGet(int *device, int number) { return *device = 70 + number, 0; }
int cuDeviceGetName(char *name, int size, int device) {
  return snprintf(name, size, "NVIDIA Fake %d", device), 0;
}
int cuDeviceGetPCIBusId(char *bus, int size, int device) {
  return snprintf(bus, size, "0000:%d:00.0", device), 0;
}
int cuDeviceTotalMem_v2(size_t *size, int device) {
  return *size = ((size_t)device - 60) << 30, 0;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  *value = attribute == 75 ? 9 : attribute == 76 ? device - 70 : -1;
  return 0;
}

#else

struct memory { unsigned long long total, free, used; };

int nvmlInit_v2(void) { return 0; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) {
  return snprintf(text, size, "550.54.15"), 0;
}
int nvmlDeviceGetCount_v2(unsigned *count) { return *count = 2, 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned number, void **handle) {
  return *handle = (void *)(1ul << 40 | number), 0;
}
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, void **handle) {
  int device = 0;
  sscanf(bus, "0000:%d:", &device);
  return *handle = (void *)(1ul << 40 | (device - 70)), 0;
}
int nvmlDeviceGetMemoryInfo(void *handle, struct memory *memory) {
  memset(memory, 0, sizeof *memory);
  memory->free = (5ull + ((unsigned long)handle & 1)) << 30;
  return 0;
}
int nvmlDeviceGetMigMode(void *handle, unsigned *current, unsigned *pending) {
  *current = *pending = (unsigned long)handle & 1;
  return 0;
}

#endif
