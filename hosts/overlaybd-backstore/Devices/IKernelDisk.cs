// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Backstore.Devices;

/// <summary>An image as the kernel sees it, through one front end.</summary>
internal interface IKernelDisk : IAsyncDisposable
{
    /// <summary>One of <see cref="ControlApi.FrontEnds"/>.</summary>
    string FrontEnd { get; }

    /// <summary>The block device; empty while there is none.</summary>
    string DevicePath { get; }

    /// <summary>The file behind the block device; null when there is none.</summary>
    string? BackingFile { get; }

    /// <summary>The device in configfs, below <c>core</c>; null when there is none.</summary>
    string? Target { get; }

    /// <summary>Whether it stays when this process ends.</summary>
    bool OutlivesServer { get; }

    /// <summary>Completes when the disk is gone, whoever ended it.</summary>
    Task Completion { get; }

    FrontEndStatistics Statistics { get; }

    /// <summary>Takes the disk away.</summary>
    /// <exception cref="RequestException">Something uses it, and it goes on serving.</exception>
    /// <exception cref="IOException">The kernel refused.</exception>
    Task DetachAsync(bool force, CancellationToken cancellationToken);

    /// <summary>Has the kernel ask for the length of the disk again.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    Task AnnounceLengthAsync(CancellationToken cancellationToken);
}
