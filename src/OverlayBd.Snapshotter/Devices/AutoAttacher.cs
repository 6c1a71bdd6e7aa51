// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Snapshotter.Devices;

/// <summary>Attaches through configfs where the kernel has TCMU, else through the backstore's control API.</summary>
public sealed class AutoAttacher : IBlockDeviceAttacher
{
    private readonly ConfigFsOptions _options;
    private readonly ConfigFsAttacher _configFs;
    private readonly IBlockDeviceAttacher _otherwise;

    /// <summary>Creates the attacher.</summary>
    /// <param name="options">How TCMU devices are made.</param>
    /// <param name="otherwise">What attaches where there is no TCMU. It stays the caller's.</param>
    public AutoAttacher(ConfigFsOptions options, IBlockDeviceAttacher otherwise)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(otherwise);
        _options = options;
        _configFs = new(options);
        _otherwise = otherwise;
    }

    // Asked each time: the modules may be loaded later than this program.
    private IBlockDeviceAttacher Current => ConfigFsAttacher.IsAvailable(_options) ? _configFs : _otherwise;

    /// <inheritdoc/>
    public ValueTask<string> AttachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default) =>
        Current.AttachAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<string?> FindAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default) =>
        Current.FindAsync(request, cancellationToken);

    /// <inheritdoc/>
    public ValueTask DetachAsync(BlockDeviceRequest request, CancellationToken cancellationToken = default) =>
        Current.DetachAsync(request, cancellationToken);
}
