# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The XML of a fault, in the shapes recorded of Windows (wsman.md 1.9 a, b, c, e)."""

from __future__ import annotations

from . import names
from .soap import envelope, escape
from .wsman_fault import ProviderError, WmiError, WsmanFaultError

_FAULT = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
_DETAIL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/faultDetail/"
_BINDING = "http://schemas.dmtf.org/wbem/wsman/1/cimbinding.xsd"


def render_fault(error: WsmanFaultError, relates_to: str, address: str, computer_name: str) -> str:
    """Write the answer for a fault.

    Args:
        error: The fault.
        relates_to: MessageID of the request, empty where it could not be read.
        address: Machine name of the outer element: how the client sees the host.
        computer_name: Machine name of the provider's own element.
    """
    role = "s:Receiver" if error.receiver else "s:Sender"
    message = escape(error.message)
    subcode = f"<s:Subcode><s:Value>{error.subcode}</s:Value></s:Subcode>" if error.subcode else ""
    body = (
        f"<s:Fault><s:Code><s:Value>{role}</s:Value>{subcode}</s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{message}</s:Text></s:Reason>'
        f"<s:Detail>{_detail(error, address, computer_name)}</s:Detail></s:Fault>"
    )
    return envelope(error.action, relates_to, body, "s a x e n w p")


def _detail(error: WsmanFaultError, address: str, computer_name: str) -> str:
    if error.wmi_error is not None:
        return _wmi_error(error, error.wmi_error)
    detail = f"<w:FaultDetail>{_DETAIL}{error.detail}</w:FaultDetail>" if error.detail else ""
    inner = escape(error.message)
    if error.provider is not None:
        inner = _provider_fault(error, error.provider, computer_name)
    return (
        f'{detail}<f:WSManFault xmlns:f="{_FAULT}" Code="{error.code}" Machine="{escape(address)}">'
        f"<f:Message>{inner}</f:Message></f:WSManFault>"
    )


def _provider_fault(error: WsmanFaultError, provider: ProviderError, computer_name: str) -> str:
    return (
        '<f:ProviderFault provider="WMI Provider" path="%systemroot%\\system32\\WsmWmiPl.dll">'
        f'<f:WSManFault xmlns:f="{_FAULT}" Code="{error.code}" Machine="{escape(computer_name)}">'
        f"<f:Message>{escape(provider.message)}</f:Message></f:WSManFault>"
        f'<f:ExtendedError><p:__ExtendedStatus xmlns:xsi="{names.XSI}" xmlns:p="{provider.namespace}"'
        f' xmlns:cim="{names.CIM}" xsi:type="p:__ExtendedStatus_Type"><p:Description xsi:nil="true"/>'
        f"<p:Operation>{escape(provider.operation)}</p:Operation>"
        f"<p:ParameterInfo>{escape(provider.parameter)}</p:ParameterInfo>"
        f"<p:ProviderName>{escape(provider.provider)}</p:ProviderName>"
        f"{_status(provider)}</p:__ExtendedStatus></f:ExtendedError></f:ProviderFault>"
    )


def _status(provider: ProviderError) -> str:
    if provider.status is None:
        return '<p:StatusCode xsi:nil="true"/>'
    return f"<p:StatusCode>{provider.status}</p:StatusCode>"


def _wmi_error(error: WsmanFaultError, wmi: WmiError) -> str:
    def field(name: str, kind: str, value: object) -> str:
        if value is None:
            return f'<p:{name} xsi:nil="true" xsi:type="cim:{kind}"/>'
        return f'<p:{name} xsi:type="cim:{kind}">{escape(str(value))}</p:{name}>'

    fields = [
        field("CIMStatusCode", "cimUnsignedInt", wmi.cim_status),
        field("CIMStatusCodeDescription", "cimString", None),
        field("ErrorSource", "cimString", None),
        field("ErrorSourceFormat", "cimUnsignedShort", 0),
        field("ErrorType", "cimUnsignedShort", 0),
        field("Message", "cimString", wmi.message),
        field("MessageID", "cimString", _message_id(error, wmi)),
        field("OtherErrorSourceFormat", "cimString", None),
        field("OtherErrorType", "cimString", None),
        field("OwningEntity", "cimString", None),
        field("PerceivedSeverity", "cimUnsignedShort", 0),
        field("ProbableCause", "cimUnsignedShort", 0),
        field("ProbableCauseDescription", "cimString", None),
        field("error_Category", "cimUnsignedInt", 30),
        field("error_Code", "cimUnsignedInt", error.code),
        field("error_Type", "cimString", wmi.error_type),
        field("error_WindowsErrorMessage", "cimString", wmi.message),
    ]
    return (
        f'<p:MSFT_WmiError xmlns:b="{_BINDING}" xmlns:cim="{names.CIM}" xmlns:p="{wmi.namespace}" '
        f'xmlns:xsi="{names.XSI}" b:IsCIM_Error="true" xsi:type="p:MSFT_WmiError_Type">{"".join(fields)}'
        "</p:MSFT_WmiError>"
    )


def _message_id(error: WsmanFaultError, wmi: WmiError) -> str:
    """`HRESULT 0x...` is recorded; the other form is that of Microsoft's MI reference (MI_ERRORTYPE_MI)."""
    return f"HRESULT 0x{error.code:08x}" if wmi.error_type == "HRESULT" else f"{wmi.error_type} RESULT {error.code}"
