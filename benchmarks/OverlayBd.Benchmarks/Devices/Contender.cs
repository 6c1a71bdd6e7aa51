// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Benchmarks.Devices;

/// <summary>A way to show something as a block device. It is attached for each round, since two TCMU handlers cannot run at once.</summary>
/// <param name="Name">What the table calls it.</param>
/// <param name="AttachAsync">Makes the device; disposing the result takes it away.</param>
internal sealed record Contender(string Name, Func<Task<AttachedContender>> AttachAsync);
