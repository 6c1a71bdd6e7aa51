// SPDX-License-Identifier: Apache-2.0

using OverlayBd.ControlApi;

namespace OverlayBd.Cli.Serving;

/// <summary>The server refused, or could not be asked.</summary>
internal sealed class BackstoreException : Exception
{
    public BackstoreException(ErrorDetail error)
        : base(Join(error)) => Code = error.Code;

    public BackstoreException(string message, string? advice = null, Exception? cause = null)
        : base(message, cause)
    {
        Code = ErrorCodes.System;
        Advice = advice;
    }

    /// <summary>One of <see cref="ErrorCodes"/>.</summary>
    public string Code { get; }

    /// <summary>What to try; null when there is nothing to say.</summary>
    public string? Advice { get; }

    private static string Join(ErrorDetail error)
    {
        IEnumerable<string> news = (error.Cause ?? []).Where(cause => !error.Message.Contains(cause, StringComparison.Ordinal));
        return string.Join(": ", news.Prepend(error.Message));
    }
}
