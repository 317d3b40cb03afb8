// The kernels by name, to be run on the host.
#pragma once

#include <functional>
#include <map>
#include <string>

const std::map<std::string, std::function<void(void**)>>& Kernels();
void RunKernel(const std::function<void(void**)>& kernel, unsigned blocks, unsigned threads,
               void** arguments);
