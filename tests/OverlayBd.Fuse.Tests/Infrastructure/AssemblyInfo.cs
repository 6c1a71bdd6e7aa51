// SPDX-License-Identifier: Apache-2.0

// Devices are few, and the allocation test counts what the whole process allocates.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
