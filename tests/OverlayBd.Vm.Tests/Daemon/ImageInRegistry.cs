// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Vm.Tests.Daemon;

/// <summary>The tests that share one <see cref="RegistryImage"/>: in the guest it takes half a minute to make.</summary>
[CollectionDefinition]
public sealed class ImageInRegistry : ICollectionFixture<RegistryImage>;
