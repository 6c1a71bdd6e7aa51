// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Registry;

/// <summary>The kinds of places images are in.</summary>
public enum ImageTransport
{
    /// <summary>A registry (<c>docker://</c>).</summary>
    Registry,

    /// <summary>A directory in the OCI image layout (<c>oci:</c>).</summary>
    OciLayout,

    /// <summary>A tar file of such a directory (<c>oci-archive:</c>).</summary>
    OciArchive,
}
